import type { Mount, SandboxLabels, SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import { startAgent, type StartedAgent } from "./start-agent.ts";

/** Sandboxes opened ahead, each with an agent that has loaded all it needs and waits for its task. Used once each. */
export interface AgentPool extends AsyncDisposable {
  /** An agent for one attempt: one that waits, else one started now. It and its sandbox are the caller's to end. */
  take(order: { readonly mounts: readonly Mount[]; readonly labels: SandboxLabels }): Promise<Taken>;
  /** Begins to fill the pool with agents that see these mounts; those that see others are ended. */
  fill(mounts: readonly Mount[]): void;
  /** How many wait with everything loaded. */
  ready(): number;
}

export interface Taken {
  readonly agent: StartedAgent;
  /** Whether it had been waiting in the pool. */
  readonly warm: boolean;
}

export interface PoolOptions {
  readonly provider: SandboxProvider;
  /** How many wait; 0 opens every sandbox when it is needed. */
  readonly size: number;
  /** The label all sandboxes of this swarm carry. */
  readonly swarm: string;
  /** How long a sandbox may live once it is taken. */
  readonly wallMs: number;
  /** How long one may wait before a fresh one takes its place; 10 minutes by default. */
  readonly idleMs?: number;
  /** How long after one that could not be opened, or died, the next is tried; 5 seconds by default. */
  readonly retryMs?: number;
  readonly log: Logger;
}

/** A place in the pool. Without an agent its sandbox is still being opened. */
interface Place {
  agent: StartedAgent | null;
  loaded: boolean;
  idle?: NodeJS.Timeout;
}

/** Loading takes a processor, which those at work need more. */
const LOADING_AT_ONCE = 2;
/** The one that was taken goes to work first. */
const REFILL_AFTER_MS = 250;
const IDLE_MS = 600_000;
const RETRY_MS = 5_000;

export function openPool(options: PoolOptions): AgentPool {
  const { provider, size, swarm, log } = options;
  const { idleMs = IDLE_MS, retryMs = RETRY_MS } = options;
  const places = new Set<Place>();
  /** Openings and endings under way, which the pool's end waits for. */
  const underWay = new Set<Promise<unknown>>();
  let mounts: readonly Mount[] | null = null;
  let retry: NodeJS.Timeout | undefined;
  let soon: NodeJS.Timeout | undefined;
  let closed = false;

  const open = async (sees: readonly Mount[], labels: SandboxLabels): Promise<StartedAgent> => {
    const limits = { wallMs: options.wallMs + idleMs };
    return startAgent(await provider.open({ labels, mounts: sees, limits }));
  };
  const track = (work: Promise<unknown>) => {
    const tracked = work.catch((error: unknown) => log.warn({ err: error }, "trouble with a waiting agent"));
    underWay.add(tracked);
    void tracked.finally(() => underWay.delete(tracked));
  };
  const end = async (agent: StartedAgent) => {
    await agent.stop();
    await agent.sandbox.terminate();
  };
  /** Takes a place out of the pool; what it held is ended unless somebody takes it over. */
  const leave = (place: Place) => {
    places.delete(place);
    clearTimeout(place.idle);
  };
  const discard = (place: Place) => {
    leave(place);
    if (place.agent !== null) track(end(place.agent));
  };
  const retryLater = () => {
    clearTimeout(retry);
    if (!closed) retry = setTimeout(refill, retryMs);
  };

  const occupy = async (place: Place, sees: readonly Mount[]): Promise<void> => {
    let agent: StartedAgent;
    try {
      agent = await open(sees, { swarm, purpose: "pool" });
    } catch (error) {
      leave(place);
      retryLater();
      throw error;
    }
    // Meanwhile the pool may have been closed, or be for other mounts.
    if (!places.has(place)) return end(agent);
    place.agent = agent;
    void agent.gone.then(() => {
      if (!places.has(place)) return;
      log.warn({ stderr: agent.stderrTail() }, "an agent ended while it waited for a task");
      discard(place);
      retryLater();
    });
    await Promise.race([agent.asked, agent.gone]);
    place.loaded = true;
    if (!places.has(place)) return;
    place.idle = setTimeout(() => {
      discard(place);
      refill();
    }, idleMs);
    refill();
  };
  const refill = () => {
    const loading = () => [...places].filter((place) => !place.loaded).length;
    while (!closed && mounts !== null && places.size < size && loading() < LOADING_AT_ONCE) {
      const place: Place = { agent: null, loaded: false };
      places.add(place);
      track(occupy(place, mounts));
    }
  };
  const see = (sees: readonly Mount[]) => {
    if (mounts !== null && keyOf(mounts) !== keyOf(sees)) for (const place of places) discard(place);
    mounts = sees;
  };
  const refillSoon = () => {
    soon ??= setTimeout(() => {
      soon = undefined;
      refill();
    }, REFILL_AFTER_MS);
  };

  return {
    fill(sees) {
      see(sees);
      refill();
    },
    ready: () => [...places].filter((place) => place.loaded).length,
    async take(order) {
      see(order.mounts);
      // The first has waited longest; one that still loads is ahead of one that would be started now.
      for (const place of places) {
        const { agent } = place;
        if (agent === null) continue;
        leave(place);
        refillSoon();
        try {
          await agent.sandbox.label?.(order.labels);
          return { agent, warm: true };
        } catch (error) {
          log.warn({ err: error }, "a waiting sandbox could not be taken");
          track(end(agent));
        }
      }
      refillSoon();
      return { agent: await open(order.mounts, order.labels), warm: false };
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(retry);
      clearTimeout(soon);
      for (const place of places) discard(place);
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function keyOf(mounts: readonly Mount[]): string {
  return JSON.stringify(mounts.map(({ from, at }) => [from, at]));
}
