import type { AgentRuntime } from "@agentswarm/contracts";
import type { Mirror, Store } from "@agentswarm/git";
import type { Budgets, QueueConnection, Sender } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import type { Gateway } from "./gateway/gateway.ts";
import type { Ground } from "./ground.ts";
import type { AgentPool } from "./pool.ts";
import type { Rounds } from "./rounds.ts";

/** What an attempt is run with. */
export interface Workshop {
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly budgets: Budgets;
  readonly log: Logger;
  readonly mirror: Mirror;
  readonly store: Store;
  readonly provider: SandboxProvider;
  readonly pool: AgentPool;
  /** What attempts stand on now. */
  readonly ground: () => Promise<Ground>;
  readonly gateway: Gateway;
  readonly rounds: Rounds;
  /** The model's name towards agents; which backend answers is the gateway's choice. */
  readonly model: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly runtime: AgentRuntime;
  readonly bundlesDir: string;
  readonly transcriptsDir: string;
  /** The label all sandboxes of this swarm carry. */
  readonly swarm: string;
  readonly maxWorkers: number;
  /** No attempt takes longer, whatever its task allows. */
  readonly wallMs: number;
}
