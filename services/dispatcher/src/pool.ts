import { newTraceparent } from "@agentswarm/contracts";
import { withTrace } from "@agentswarm/contracts/node";
import type { Mount, SandboxLabels, SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import { startAgent, type StartedAgent } from "./start-agent.ts";

/** Sandboxes that are opened ahead, each with a loaded agent that waits for its task. Each is used once. */
export interface AgentPool extends AsyncDisposable {
  /** An agent for one attempt: one that waits, else one started now. The caller ends it and its sandbox. */
  take(order: { readonly mounts: readonly Mount[]; readonly labels: SandboxLabels }): Promise<TakenAgent>;
  /** Starts to fill the pool with agents that have these mounts; agents with other mounts are ended. */
  fill(mounts: readonly Mount[]): void;
  /** The number of loaded agents that wait. */
  ready(): number;
}

export interface TakenAgent {
  readonly agent: StartedAgent;
  /** Whether it waited in the pool. */
  readonly warm: boolean;
}

export interface PoolOptions {
  readonly provider: SandboxProvider;
  /** How many agents wait; 0: every sandbox is opened when it is needed. */
  readonly size: number;
  /** The label of all sandboxes of this swarm. */
  readonly swarm: string;
  /** Milliseconds that a sandbox may live once it is taken. */
  readonly wallMs: number;
  /** Milliseconds that an agent may wait before another replaces it; 10 minutes by default. */
  readonly idleMs?: number;
  /** Milliseconds between a sandbox that failed and the next one; 5 seconds by default. */
  readonly retryMs?: number;
  readonly log: Logger;
}

/** One of the pool's agents. `agent` is null while its sandbox is being opened. */
interface PoolEntry {
  agent: StartedAgent | null;
  loaded: boolean;
  idleTimer?: NodeJS.Timeout;
}

/** Loading an agent takes a processor, which running attempts need more. */
const MAX_LOADING = 2;
/** After an agent is taken, its attempt gets this head start before the next agent is loaded. */
const REFILL_DELAY_MS = 250;
const IDLE_MS = 600_000;
const RETRY_MS = 5_000;

export function openPool(options: PoolOptions): AgentPool {
  const { provider, size, swarm, log } = options;
  const { idleMs = IDLE_MS, retryMs = RETRY_MS } = options;
  const entries = new Set<PoolEntry>();
  /** Openings and endings under way; the pool's disposal waits for them. */
  const underWay = new Set<Promise<unknown>>();
  // The pool works for no task, so its log lines must not carry the trace of the attempt that happened to take an agent.
  const trace = newTraceparent();
  let mounts: readonly Mount[] | null = null;
  let retryTimer: NodeJS.Timeout | undefined;
  let refillTimer: NodeJS.Timeout | undefined;
  let closed = false;

  const open = async (mountsOf: readonly Mount[], labels: SandboxLabels): Promise<StartedAgent> => {
    const limits = { wallMs: options.wallMs + idleMs };
    return startAgent(await provider.open({ labels, mounts: mountsOf, limits }));
  };
  const track = (work: Promise<unknown>) => {
    const tracked = work.catch((error: unknown) =>
      log.warn({ err: error }, "waiting agent could not be started or ended"),
    );
    underWay.add(tracked);
    void tracked.finally(() => underWay.delete(tracked));
  };
  const end = async (agent: StartedAgent) => {
    await agent.stop();
    await agent.sandbox.terminate();
  };
  /** Removes an entry; its agent is then the caller's to end. */
  const remove = (entry: PoolEntry) => {
    entries.delete(entry);
    clearTimeout(entry.idleTimer);
  };
  const discard = (entry: PoolEntry) => {
    remove(entry);
    if (entry.agent !== null) track(end(entry.agent));
  };
  const retryLater = () => {
    clearTimeout(retryTimer);
    if (!closed) retryTimer = setTimeout(refill, retryMs);
  };

  const load = async (entry: PoolEntry, mountsOf: readonly Mount[]): Promise<void> => {
    let agent: StartedAgent;
    try {
      agent = await open(mountsOf, { swarm, purpose: "pool" });
    } catch (error) {
      remove(entry);
      retryLater();
      throw error;
    }
    // The pool may have been closed meanwhile, or have got other mounts.
    if (!entries.has(entry)) return end(agent);
    entry.agent = agent;
    void agent.gone.then(() => {
      if (!entries.has(entry)) return;
      const { id: sandboxId } = agent.sandbox;
      log.warn({ sandboxId, stderr: agent.stderrTail() }, "agent ended while it waited for a task");
      discard(entry);
      retryLater();
    });
    await Promise.race([agent.asked, agent.gone]);
    entry.loaded = true;
    if (!entries.has(entry)) return;
    entry.idleTimer = setTimeout(() => {
      discard(entry);
      refill();
    }, idleMs);
    refill();
  };
  const refill = () =>
    withTrace(trace, () => {
      const loading = () => [...entries].filter((entry) => !entry.loaded).length;
      while (!closed && mounts !== null && entries.size < size && loading() < MAX_LOADING) {
        const entry: PoolEntry = { agent: null, loaded: false };
        entries.add(entry);
        track(load(entry, mounts));
      }
    });
  const refillSoon = () => {
    refillTimer ??= setTimeout(() => {
      refillTimer = undefined;
      refill();
    }, REFILL_DELAY_MS);
  };
  const useMounts = (wanted: readonly Mount[]) => {
    if (mounts !== null && keyOf(mounts) !== keyOf(wanted)) for (const entry of entries) discard(entry);
    mounts = wanted;
  };

  return {
    fill(wanted) {
      useMounts(wanted);
      refill();
    },
    ready: () => [...entries].filter((entry) => entry.loaded).length,
    async take(order) {
      useMounts(order.mounts);
      // The first entry waits longest, and even an agent that still loads is ahead of one that starts now.
      for (const entry of entries) {
        const { agent } = entry;
        if (agent === null) continue;
        remove(entry);
        refillSoon();
        try {
          await agent.sandbox.label?.(order.labels);
          return { agent, warm: true };
        } catch (error) {
          const { task: taskId, attempt } = order.labels;
          log.warn({ err: error, taskId, attempt }, "waiting sandbox could not be labelled; taking another");
          track(end(agent));
        }
      }
      refillSoon();
      return { agent: await open(order.mounts, order.labels), warm: false };
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(retryTimer);
      clearTimeout(refillTimer);
      for (const entry of entries) discard(entry);
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function keyOf(mounts: readonly Mount[]): string {
  return JSON.stringify(mounts.map(({ from, at }) => [from, at]));
}
