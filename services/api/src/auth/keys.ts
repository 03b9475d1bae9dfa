import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { Fault, personRoleSchema, type KeySummary, type PersonRole } from "@agentswarm/contracts";

/** What may be done with the keys, as pure decisions on their list. Times are milliseconds since 1970. */

/** Scopes of version 0.1. No key gains a right: only `approve` could decide about held attempts. */
const ROLE_OF_SCOPE: Readonly<Record<string, PersonRole>> = {
  read: "viewer",
  write: "submitter",
  approve: "operator",
};

const secretSchema = z.object({
  /** SHA-256 of the secret, which has 192 random bits, so that no slow hash is needed. */
  hash: z.string(),
  createdAt: z.int(),
  /** null: never. */
  expiresAt: z.int().nullable(),
});

const keySchema = z.preprocess(
  liftOldKey,
  z.object({
    id: z.string(),
    /** Whose it is; unique. null: its id is shown. */
    name: z.string().nullable(),
    role: personRoleSchema,
    createdAt: z.int(),
    /** The newest one is last; those before it are accepted while a rotation overlaps. */
    secrets: z.array(secretSchema).min(1),
  }),
);
export type ApiKey = z.infer<typeof keySchema>;
export const keysSchema = z.array(keySchema);

/** Keys of version 0.1 have a scope and one secret. */
function liftOldKey(key: unknown): unknown {
  if (typeof key !== "object" || key === null || !("hash" in key && "scope" in key)) return key;
  const { hash, scope, ...rest } = key as Record<string, unknown>;
  const { createdAt, expiresAt } = rest;
  const role = ROLE_OF_SCOPE[String(scope)];
  return { ...rest, name: null, role, secrets: [{ hash, createdAt, expiresAt }] };
}

const hashOf = (secret: string) => createHash("sha256").update(secret).digest();
const isOver = (expiresAt: number | null, now: number) => expiresAt !== null && expiresAt <= now;
const current = ({ secrets }: ApiKey) => secrets.at(-1) as ApiKey["secrets"][number];

/** What the swarm shows of a person as `by`. */
export function actorOf({ id, name }: ApiKey): string {
  return name ?? id;
}

/** The key of an id or a name; ids and names cannot be confused. */
export function findKey(keys: readonly ApiKey[], idOrName: string): ApiKey | undefined {
  return keys.find(({ id, name }) => id === idOrName || name === idOrName);
}

export function summaryOf(key: ApiKey, now: number): KeySummary {
  const { id, name, role, createdAt, secrets } = key;
  const { expiresAt, createdAt: newestAt } = current(key);
  const former = secrets.slice(0, -1).filter((secret) => !isOver(secret.expiresAt, now));
  const ends = former.map((secret) => secret.expiresAt ?? now);
  return {
    id,
    name,
    role,
    createdAt,
    expiresAt,
    expired: isOver(expiresAt, now),
    rotatedAt: secrets.length > 1 ? newestAt : null,
    formerUntil: ends.length > 0 ? Math.max(...ends) : null,
  };
}

/** What the text of a key, like `ask_<id>_<secret>`, is. Only who has the secret learns more than `unknown`. */
export type KeyCheck =
  | { readonly kind: "valid" | "expired" | "rotated"; readonly key: ApiKey; readonly endedAt: number | null }
  | { readonly kind: "unknown" };

export function checkKey(keys: readonly ApiKey[], text: string, now: number): KeyCheck {
  const [, id, secret] = /^ask_([0-9a-f]+)_([0-9a-f]+)$/.exec(text) ?? [];
  const key = keys.find((one) => one.id === id);
  if (key === undefined || secret === undefined) return { kind: "unknown" };
  const hash = hashOf(secret);
  const match = key.secrets.find((one) => timingSafeEqual(Buffer.from(one.hash, "hex"), hash));
  if (match === undefined) return { kind: "unknown" };
  const ended = match === current(key) ? "expired" : "rotated";
  return { kind: isOver(match.expiresAt, now) ? ended : "valid", key, endedAt: match.expiresAt };
}

/** The keys after a change, and what it made. */
export interface KeyChange<T> {
  readonly keys: readonly ApiKey[];
  readonly made: T;
}

/** A key whose text is kept nowhere. */
export interface MadeKey {
  readonly key: ApiKey;
  readonly text: string;
}

/** Who a key is for, and for how long. */
export interface KeyWish {
  readonly role: PersonRole;
  readonly name?: string | undefined;
  readonly expiresAt: number | null;
}

export function addKey(
  keys: readonly ApiKey[],
  { role, name, expiresAt }: KeyWish,
  now: number,
): KeyChange<MadeKey> {
  if (name !== undefined && findKey(keys, name) !== undefined)
    throw new Fault("conflict", `there is a key of the name ${name} already: rotate it, or revoke it first`);
  const id = randomBytes(6).toString("hex");
  const { secret, stored } = makeSecret(expiresAt, now);
  const key = { id, name: name ?? null, role, createdAt: now, secrets: [stored] };
  return { keys: [...keys, key], made: { key, text: `ask_${id}_${secret}` } };
}

/** Number of former secrets of a key that are known: a request with one is refused with the reason `replaced`. */
const FORMER_SECRETS = 5;

/**
 * Gives a key a new secret. The secrets before it are accepted for `overlapMs` more, and no longer than they were. The new
 * one ends when the key did, unless `expiresAt` says otherwise.
 */
export function rotateKey(
  keys: readonly ApiKey[],
  idOrName: string,
  { overlapMs, expiresAt }: { overlapMs: number; expiresAt?: number | null | undefined },
  now: number,
): KeyChange<MadeKey> {
  const key = findKey(keys, idOrName) ?? unknownKey(idOrName);
  const end = expiresAt === undefined ? current(key).expiresAt : expiresAt;
  if (isOver(end, now))
    throw new Fault(
      "conflict",
      `the key ${actorOf(key)} has expired: say for how many days the new one is valid`,
    );
  const { secret, stored } = makeSecret(end, now);
  const former = key.secrets
    .slice(-FORMER_SECRETS)
    .map((one) => ({ ...one, expiresAt: Math.min(one.expiresAt ?? Infinity, now + overlapMs) }));
  const rotated = { ...key, secrets: [...former, stored] };
  return {
    keys: keys.map((one) => (one === key ? rotated : one)),
    made: { key: rotated, text: `ask_${key.id}_${secret}` },
  };
}

export function revokeKey(keys: readonly ApiKey[], idOrName: string): KeyChange<ApiKey> {
  const key = findKey(keys, idOrName) ?? unknownKey(idOrName);
  return { keys: keys.filter((one) => one !== key), made: key };
}

/**
 * Throws Fault `conflict` when there are keys, but no admin's that is valid: nobody could make one over REST any more. The
 * offline command may still do so.
 */
export function refuseWithoutAdmin(keys: readonly ApiKey[], now: number): void {
  const admin = keys.some((key) => key.role === "admin" && !isOver(current(key).expiresAt, now));
  if (!admin)
    throw new Fault(
      "conflict",
      "no key of an admin would be left to make and revoke keys: make one first (role admin), or use `keys` on the api's machine",
    );
}

function unknownKey(idOrName: string): never {
  throw new Fault("not-found", `there is no key ${idOrName}`);
}

function makeSecret(expiresAt: number | null, now: number) {
  const secret = randomBytes(24).toString("hex");
  return { secret, stored: { hash: hashOf(secret).toString("hex"), createdAt: now, expiresAt } };
}
