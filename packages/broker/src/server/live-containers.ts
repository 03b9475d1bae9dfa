import type { Http2Session } from "node:http2";
import { Fault } from "@agentswarm/contracts";
import type { SandboxProcess } from "@agentswarm/sandbox";
import type { Container } from "@agentswarm/sandbox/containers";

/** A container of a client, with its running programs by the client's ids. */
export interface LiveContainer {
  readonly container: Container;
  readonly session: Http2Session;
  readonly programs: Map<string, SandboxProcess>;
}

/** The containers of all clients. Each belongs to the connection it was opened over, and ends with it. */
export interface LiveContainers {
  /** Adds a container; terminates it at once when the connection is already closed. */
  add(container: Container, session: Http2Session): Promise<void>;
  /** Returns a container of this connection; throws Fault `not-found` for any other. */
  get(id: string, session: Http2Session): LiveContainer;
  /** Whether another connection has it. */
  isForeign(id: string, session: Http2Session | undefined): boolean;
  remove(id: string): void;
  count(): number;
  /** Terminates the containers of a connection. */
  endSession(session: Http2Session): Promise<void>;
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
    get(id, session) {
      const found = live.get(id);
      if (found !== undefined && found.session === session) return found;
      throw new Fault("not-found", `no sandbox ${id} was opened over this connection`);
    },
    isForeign: (id, session) => live.has(id) && live.get(id)?.session !== session,
    remove: (id) => void live.delete(id),
    count: () => live.size,
    endSession: (session) => end((one) => one.session === session),
    endAll: () => end(() => true),
  };
}
