import type { DependencyCache } from "@agentswarm/checks";
import type { Mirror } from "@agentswarm/git";
import type { Model } from "@agentswarm/llm";
import type { QueueConnection, Sender, TrunkStates } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import type { CheckRecords } from "./check-records.ts";

/** The dependencies of the reconciler, made in start.ts. */
export interface ReconcilerContext {
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly log: Logger;
  /** What a sweep of one repository works with. Throws Fault `config.invalid` for an unknown id. */
  readonly repo: (repoId: string) => SweepContext;
}

/** Everything that a sweep of one repository needs. */
export interface SweepContext {
  readonly connection: Pick<QueueConnection, "now">;
  readonly sender: Pick<Sender, "event">;
  readonly log: Logger;
  readonly repoId: string;
  readonly mirror: Mirror;
  readonly records: CheckRecords;
  readonly trunkStates: TrunkStates;
  /** RED_TRUNK. */
  readonly redTrunk: "hold" | "work";
  readonly provider: SandboxProvider;
  readonly dependencies: DependencyCache;
  /** Drafts fix tasks; paid from the budget of the trunk's health. */
  readonly model: Model;
  readonly promptsDir: string;
  readonly bundlesDir: string;
  /** The label of all sandboxes of this swarm. */
  readonly swarm: string;
}
