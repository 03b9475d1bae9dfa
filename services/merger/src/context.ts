import type { PackageFactsReader } from "@agentswarm/checks";
import type { LandingMode } from "@agentswarm/contracts";
import type { LandingEngine, Mirror, PublishRight, Store } from "@agentswarm/git";
import type { Pauses, QueueConnection, Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import type { Gate } from "./gate.ts";
import type { LandedIndex } from "./landed-index.ts";
import type { MergeQueue } from "./queue.ts";
import type { SecretScanner } from "./secrets/open-secret-scanner.ts";
import type { Upkeep } from "./upkeep.ts";

/** The dependencies of the merger, made in start.ts. */
export interface MergerContext {
  readonly sender: Sender;
  readonly log: Logger;
  /** The merge queue of a repository. Throws Fault `config.invalid` for an unknown id. */
  readonly repo: (repoId: string) => { readonly queue: MergeQueue };
}

/** Everything that building and publishing batches of one repository needs. */
export interface LandingContext {
  readonly repoId: string;
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly log: Logger;
  /** The right to publish to the trunk: one merger at a time holds the lease of a repository. */
  readonly lease: PublishRight;
  /** The origin itself where it lies on this machine, else a copy of it. */
  readonly mirror: Mirror;
  readonly store: Store;
  readonly engine: LandingEngine;
  readonly landed: LandedIndex;
  readonly scanner: SecretScanner;
  /** For the person who approves new packages. */
  readonly packages: Pick<PackageFactsReader, "of">;
  readonly landing: LandingMode;
  /** Runs the target's gate checks before publishing; null when LANDING_GATE is off. */
  readonly gate: Gate | null;
  readonly upkeep: Upkeep;
  /** What people have paused. */
  readonly pauses: Pick<Pauses, "read">;
  /** A sweep is requested each time this many more landings are on the trunk. */
  readonly nudgeAfter: number;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
}
