import { z } from "zod";
import { ROLES, type Role } from "@agentswarm/contracts";
import type { Prices } from "./models.ts";

/** One model endpoint with everything that a call needs. */
export interface Backend {
  readonly name: string;
  /** Without a trailing slash; `/chat/completions` and `/models` are below it. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The model's name as this backend knows it. */
  readonly model: string;
  /** The settings that its key, its model and its URL come from, for people who correct them. */
  readonly settings: { readonly key: string; readonly model: string; readonly url: string };
  readonly contextTokens: number;
  readonly prices: Prices;
  /** False when nothing says what the model costs: `prices` are 0 then, and a cap in US dollars holds nothing back. */
  readonly pricesKnown: boolean;
  /** The maximum number of concurrent calls. */
  readonly concurrency: number;
  /** The roles that it serves; null is all. */
  readonly roles: readonly BackendRole[] | null;
  /** 1 is used first; the next one when the first is down, paused or full. */
  readonly priority: number;
  /** Whether it can enforce a JSON schema. */
  readonly jsonSchema: boolean;
}

/** The roles of calls, and `small`: the short questions, for which a small model is enough. */
const BACKEND_ROLES = [...ROLES, "small"] as const;
export type BackendRole = (typeof BACKEND_ROLES)[number];

/** Roles that a backend may name instead of the role itself. */
const ALSO: Partial<Record<Role, readonly BackendRole[]>> = {
  accept: ["small", "plan"],
  "draft-fixes": ["small", "plan"],
};

export function serves(backend: Pick<Backend, "roles">, role: Role): boolean {
  if (backend.roles === null) return true;
  return [role, ...(ALSO[role] ?? [])].some((one) => backend.roles?.includes(one));
}

export const KINDS = ["runpod", "glm-modal", "zai", "openai-compatible"] as const;

/** One entry of LLM_BACKENDS. Missing values come from its `kind` and its model. */
export const backendEntrySchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,64}$/, "lower-case letters, digits and dashes only"),
  kind: z.enum(KINDS).default("openai-compatible"),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  keyVar: z
    .string()
    // Settings with such names are masked in logs.
    .regex(/^[A-Z0-9_]*(?:KEY|TOKEN|SECRET)[A-Z0-9_]*$/, "is the NAME of the variable that holds the key")
    .optional(),
  model: z.string().min(1).optional(),
  contextTokens: z.int().min(1).optional(),
  prices: z
    .strictObject({ input: z.number().min(0), output: z.number().min(0), cached: z.number().min(0) })
    .optional()
    .describe("US dollars per million tokens"),
  concurrency: z.int().min(1).optional(),
  roles: z.array(z.enum(BACKEND_ROLES)).min(1).optional(),
  priority: z.int().min(1).optional(),
  jsonSchema: z.boolean().default(false),
});
export type BackendEntry = z.infer<typeof backendEntrySchema>;
