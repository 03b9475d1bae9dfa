import type { Http2Session } from "node:http2";
import { Fault } from "@agentswarm/contracts";
import type { SandboxProcess } from "@agentswarm/sandbox";
import type { Container } from "@agentswarm/sandbox/containers";

/** A client's container, with what runs in it by the client's names. */
export interface LiveContainer {
  readonly container: Container;
  readonly session: Http2Session;
  readonly programs: Map<string, SandboxProcess>;
}

/** The containers that clients hold. Each belongs to the connection it was opened over, and ends with it. */
export interface LiveContainers {
  /** Ends the container at once when the connection is gone by now. */
  add(container: Container, session: Http2Session): Promise<void>;
  /** Throws Fault `not-found` unless it is that connection's own. */
  of(id: string, session: Http2Session): LiveContainer;
  forget(id: string): void;
  count(): number;
  /** Ends all that a connection has. */
  endOf(session: Http2Session): Promise<void>;
  endAll(): Promise<void>;
}

export function openLiveContainers(): LiveContainers {
  const live = new Map<string, LiveContainer>();
  const end = async (which: (one: LiveContainer) => boolean) => {
    const ending = [...live].filter(([, one]) => which(one));
    await Promise.allSettled(
      ending.map(async ([id, { container }]) => {
        live.delete(id);
        await container.terminate();
      }),
    );
  };
  return {
    async add(container, session) {
      live.set(container.id, { container, session, programs: new Map() });
      if (session.destroyed) await end((one) => one.container === container);
    },
    of(id, session) {
      const found = live.get(id);
      if (found !== undefined && found.session === session) return found;
      throw new Fault("not-found", `no container ${id} was opened over this connection`);
    },
    forget: (id) => void live.delete(id),
    count: () => live.size,
    endOf: (session) => end((one) => one.session === session),
    endAll: () => end(() => true),
  };
}
