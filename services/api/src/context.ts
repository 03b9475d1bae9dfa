import type { BudgetCaps, Budgets, QueueConnection, Sender } from "@agentswarm/queue";
import type { KeyDemand } from "./auth/guard.ts";
import type { KeyRing } from "./auth/key-ring.ts";
import type { Rebuilds } from "./rebuilds.ts";
import type { Intake } from "./project/intake.ts";
import type { ReadModel } from "./project/read-model.ts";

/** The dependencies of the routes. */
export interface ApiContext {
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly model: ReadModel;
  readonly intake: Pick<Intake, "waiting">;
  readonly rebuilds: Rebuilds;
  readonly budgets: Budgets;
  readonly caps: BudgetCaps;
  readonly keys: KeyRing;
  readonly keyDemand: KeyDemand;
  readonly transcriptsDir: string;
  readonly maxQueueDepth: number;
}
