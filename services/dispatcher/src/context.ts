import type { AgentRuntime } from "@agentswarm/contracts";
import type { Mirror, Store } from "@agentswarm/git";
import type { Router } from "@agentswarm/llm";
import type { Budgets, QueueConnection, Sender, Pauses, TrunkStates } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import type { AttemptBase } from "./base.ts";
import type { FinishedWork } from "./finished-work.ts";
import type { DoorMemory } from "./door-memory.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { AgentPool } from "./pool.ts";
import type { Rounds } from "./rounds.ts";

/** What attempts of one repository work with. */
export interface DispatcherRepo {
  readonly mirror: Mirror;
  /** The commits of attempts. */
  readonly store: Store;
  readonly finished: FinishedWork;
  /** The base of an attempt that starts now: the trunk's newest commit, as of the mirror's last fetch. */
  readonly base: () => Promise<AttemptBase>;
}

/** The dependencies of the dispatcher, made in start.ts. */
export interface DispatcherContext {
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly budgets: Budgets;
  /** What the newest sweeps say. */
  readonly trunkStates: TrunkStates;
  /** What people have paused. */
  readonly pauses: Pick<Pauses, "requireNone">;
  readonly log: Logger;
  /** A repository of the swarm. Throws Fault `config.invalid` for an unknown id. */
  readonly repo: (repoId: string) => DispatcherRepo;
  readonly provider: SandboxProvider;
  readonly pool: AgentPool;
  readonly gateway: Gateway;
  /** For the bodies at the doors of all sandboxes. */
  readonly memory: DoorMemory;
  /** Why no model answers calls of a role now, as a retryable Fault, or null. */
  readonly outage: Router["outage"];
  readonly rounds: Rounds;
  /** The model's name towards agents; the router chooses the backend that answers. */
  readonly model: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly runtime: AgentRuntime;
  /** How long an attempt waits for the answer to a question before it is parked. */
  readonly questionWaitMs: number;
  readonly bundlesDir: string;
  readonly transcriptsDir: string;
  /** The label of all sandboxes of this swarm. */
  readonly swarm: string;
  readonly maxWorkers: number;
  /** Milliseconds that an attempt may take at most, whatever its task allows. */
  readonly wallMs: number;
}
