import type { Mirror } from "@agentswarm/git";
import type { Model } from "@agentswarm/llm";
import type {
  Budgets,
  Documents,
  QueueConnection,
  Sender,
  Pauses,
  TrunkStates,
  WaitingReasons,
} from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import type { CostHistory } from "./cost-history.ts";
import type { TaskDefaults } from "./ledger/adopt-plan.ts";
import type { LedgerStore } from "./ledger/ledger-store.ts";
import type { PlanningScheduler } from "./planning-scheduler.ts";

/** What planning reads of one repository. */
export interface RepoToPlan {
  readonly repoId: string;
  readonly mirror: Mirror;
}

/** The dependencies of the planner, made in start.ts. */
export interface PlannerContext {
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly budgets: Budgets;
  readonly log: Logger;
  readonly ledgers: LedgerStore;
  /** Why features do not go on. */
  readonly waiting: WaitingReasons;
  /** What the newest sweeps say. */
  readonly trunkStates: TrunkStates;
  /** What people have paused. */
  readonly pauses: Pauses;
  /** Each feature's newest survey of the target. */
  readonly surveys: Documents<string>;
  readonly scheduler: PlanningScheduler;
  /** A repository of the swarm. Throws Fault `config.invalid` for an unknown id. */
  readonly repo: (repoId: string) => RepoToPlan;
  readonly repos: readonly RepoToPlan[];
  readonly model: Model;
  /** Maximum tokens of one answer. */
  readonly maxTokens: number;
  /** Costs of landed tasks. */
  readonly history: CostHistory;
  readonly promptsDir: string;
  readonly surveyTokens: number;
  readonly maxTasks: number;
  readonly defaults: TaskDefaults;
}
