import type { KeyDemand } from "./auth/guard.ts";
import type { FastifyInstance, FastifyBaseLogger, RawServerDefault } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ZodTypeProvider } from "@fastify/type-provider-zod";
import type { BudgetCaps, Budgets, QueueConnection, Sender } from "@agentswarm/queue";
import type { KeyRing } from "./auth/keys.ts";
import type { ReadModel } from "./project/read-model.ts";

/** Fastify with zod schemas as its types. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes answer from. */
export interface House {
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly model: ReadModel;
  readonly budgets: Budgets;
  readonly caps: BudgetCaps;
  readonly keys: KeyRing;
  /** The address is published, so that without a key nobody may come in. */
  readonly keyDemand: KeyDemand;
  readonly transcriptsDir: string;
  readonly maxQueueDepth: number;
}

/** Nobody waits longer for Redis than this. */
export const REDIS_DEADLINE_MS = 2_000;
