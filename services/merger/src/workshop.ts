import type { DependencyCache } from "@agentswarm/checks";
import type { MergeStrategy, Mirror, Store } from "@agentswarm/git";
import type { Sender } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import type { LandedIndex } from "./landed-index.ts";

/** What landings are made with. */
export interface Workshop {
  readonly mirror: Mirror;
  readonly store: Store;
  readonly provider: SandboxProvider;
  readonly dependencies: DependencyCache;
  readonly landed: LandedIndex;
  readonly sender: Sender;
  readonly log: Logger;
  readonly strategy: MergeStrategy;
  /** Whether the target's gate checks run before publishing. */
  readonly gate: boolean;
  readonly bundlesDir: string;
  readonly swarm: string;
  readonly nudgeAfter: number;
}
