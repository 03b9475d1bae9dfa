import { z } from "zod";
import { clippedText } from "./bounded.ts";
import { idSchema } from "./ids.ts";

/** What a person may do; each role includes the ones before it. */
export const PERSON_ROLES = ["viewer", "submitter", "reviewer", "operator", "admin"] as const;
export const personRoleSchema = z.enum(PERSON_ROLES);
export type PersonRole = z.infer<typeof personRoleSchema>;

/** Whether a role includes another one. */
export function includesRole(role: PersonRole, needed: PersonRole): boolean {
  return PERSON_ROLES.indexOf(role) >= PERSON_ROLES.indexOf(needed);
}

/** The id of an API key, `local` where no key is needed, or the service that acts by itself. */
export const actorSchema = clippedText(200);

/** By which way somebody asks for something. */
export const viaSchema = z.enum(["rest", "cli", "console", "mcp", "webhook", "system"]);
export type Via = z.infer<typeof viaSchema>;

/** The request header in which a client of the REST API names its way. */
export const VIA_HEADER = "x-swarm-via";
/** Ways that a client may name; the others are the swarm's own. It is only shown, and gives no right. */
const CLIENTS: readonly Via[] = ["rest", "cli", "console", "mcp"];

/** The way that the header names; `rest` where it names none that a client may. */
export function viaOf(header: unknown): Via {
  return CLIENTS.find((via) => via === header) ?? "rest";
}

/** Who asks for something, and by which way. A part of every message that a person causes. */
export const askedBy = {
  by: actorSchema,
  via: viaSchema.default("rest"),
} as const;

/** What a person did to a feature, or to one of its tasks. */
export const personActionSchema = z.object({
  action: z.enum(["cancel", "retry", "budget", "cancel-task", "retry-task", "revert"]),
  ...askedBy,
  taskId: idSchema.nullable().describe("null: the feature as a whole"),
  why: clippedText(2_000).describe(
    "In the person's words, or the caps of a budget; empty where there are none",
  ),
});
export type PersonAction = z.infer<typeof personActionSchema>;
