import type { Mirror } from "@agentswarm/git";
import type { Model } from "@agentswarm/llm";
import type { Budgets, Documents, QueueConnection, Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import type { CostHistory } from "./cost-history.ts";
import type { Foreman } from "./foreman.ts";
import type { TaskDefaults } from "./ledger/adopt-plan.ts";
import type { LedgerStore } from "./ledger/ledger-store.ts";

/** What planning is done with. */
export interface PlannerContext {
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly budgets: Budgets;
  readonly log: Logger;
  readonly ledgers: LedgerStore;
  /** Each feature's newest survey of the target. */
  readonly surveys: Documents<string>;
  readonly foreman: Foreman;
  readonly mirror: Mirror;
  readonly model: Model;
  /** The longest answer that a call may get. */
  readonly maxTokens: number;
  /** What landed tasks have cost. */
  readonly history: CostHistory;
  readonly promptsDir: string;
  readonly surveyTokens: number;
  readonly maxTasks: number;
  readonly defaults: TaskDefaults;
}
