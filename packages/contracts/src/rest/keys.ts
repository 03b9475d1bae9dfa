import { z } from "zod";
import { actorSchema, personRoleSchema, viaSchema } from "../person.ts";
import type { Route } from "./route.ts";

/** Hours for which a key is accepted after its rotation, unless something else is asked for. */
export const ROTATION_OVERLAP_HOURS = 24;

/** Names by which the swarm itself and a person without a key are shown. No key may have them. */
const RESERVED = new Set([
  "local",
  "nobody",
  "system",
  "swarm",
  "api",
  "planner",
  "dispatcher",
  "merger",
  "reconciler",
  "broker",
]);

/** The id of a key, which a key without a name is shown by. */
export const keyIdSchema = z.string().regex(/^[0-9a-f]{12}$/, "must be 12 hex digits");

/** The name of a key's owner: what the swarm shows as `by`. */
export const keyNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._@+-]{0,63}$/,
    "must match ^[a-z0-9][a-z0-9._@+-]{0,63}$, as ada or ada@example.com do",
  )
  .refine((name) => !RESERVED.has(name), "is a name of the swarm's own")
  .refine((name) => !keyIdSchema.safeParse(name).success, "looks like the id of a key");

const daysSchema = z.number().positive().max(36_500).describe("Days until it expires");

/** A key without its secret. Times are milliseconds since 1970, by the api's clock. */
export const keySummarySchema = z.object({
  id: keyIdSchema,
  name: keyNameSchema.nullable().describe("Shown as `by`; null: the id is"),
  role: personRoleSchema,
  createdAt: z.int(),
  expiresAt: z.int().nullable().describe("null: never"),
  expired: z.boolean(),
  rotatedAt: z.int().nullable().describe("When its secret was last replaced"),
  formerUntil: z
    .int()
    .nullable()
    .describe("Until when a secret from before a rotation is accepted; null: none is"),
});
export type KeySummary = z.infer<typeof keySummarySchema>;

/** A key with its secret, which is shown this once and kept nowhere. */
export const issuedKeySchema = keySummarySchema.extend({
  key: z.string().describe("`ask_<id>_<secret>`, to be sent as `Authorization: Bearer`. Shown this once"),
});
export type IssuedKey = z.infer<typeof issuedKeySchema>;

/** Who asks, as the swarm takes it. */
export const meSchema = z.object({
  id: actorSchema.describe("What the swarm shows as `by`; `local` where no key is needed"),
  role: personRoleSchema,
  via: viaSchema,
  keyId: keyIdSchema.nullable().describe("null: no key is needed"),
});
export type Me = z.infer<typeof meSchema>;

const params = z.object({ id: z.string().min(1).max(64).describe("A key's id, or its name") });

const BASE = { tag: "keys", needs: "admin", status: 200, type: "application/json" } as const;

export const KEY_ROUTES = {
  listKeys: {
    ...BASE,
    method: "GET",
    path: "/v1/keys",
    summary: "All keys, oldest first, without their secrets",
    repeatable: true,
    response: z.object({ keys: z.array(keySummarySchema) }),
  },
  createKey: {
    ...BASE,
    method: "POST",
    path: "/v1/keys",
    summary:
      "Make a key. While there is none, the first one must be an admin's: from then on every request needs one",
    repeatable: false,
    body: z.strictObject({
      role: personRoleSchema,
      name: keyNameSchema.optional(),
      days: daysSchema.optional(),
    }),
    response: issuedKeySchema,
  },
  rotateKey: {
    ...BASE,
    method: "POST",
    path: "/v1/keys/:id/rotate",
    summary: "Give a key a new secret. The one before is accepted until the overlap ends",
    repeatable: false,
    params,
    body: z
      .strictObject({
        overlapHours: z
          .number()
          .min(0)
          .max(720)
          .default(ROTATION_OVERLAP_HOURS)
          .describe("0: the secret before is refused from now on"),
        days: daysSchema
          .optional()
          .describe("Days until the new secret expires; by default when the key did"),
      })
      .default({ overlapHours: ROTATION_OVERLAP_HOURS }),
    response: issuedKeySchema,
  },
  revokeKey: {
    ...BASE,
    method: "DELETE",
    path: "/v1/keys/:id",
    summary: "Take a key back: it is refused from now on",
    repeatable: false,
    params,
    response: keySummarySchema,
  },
  getMe: {
    ...BASE,
    method: "GET",
    path: "/v1/me",
    summary: "Who asks, with which role",
    needs: "viewer",
    repeatable: true,
    response: meSchema,
  },
} as const satisfies Record<string, Route>;
