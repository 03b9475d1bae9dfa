import type { DependencyCache } from "@agentswarm/checks";
import type { Mirror } from "@agentswarm/git";
import type { Model } from "@agentswarm/llm";
import type { QueueConnection } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import type { Verdicts } from "./verdicts.ts";

/** What a sweep works with. */
export interface Workshop {
  readonly connection: QueueConnection;
  readonly log: Logger;
  readonly mirror: Mirror;
  readonly verdicts: Verdicts;
  readonly provider: SandboxProvider;
  readonly dependencies: DependencyCache;
  readonly model: Model;
  readonly promptsDir: string;
  readonly bundlesDir: string;
  /** The label all sandboxes of this swarm carry. */
  readonly swarm: string;
}
