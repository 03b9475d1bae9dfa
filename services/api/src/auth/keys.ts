import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import { personRoleSchema, type PersonRole } from "@agentswarm/contracts";

/** Keys of versions before 0.3 have a scope. None gains a right: only `approve` could decide about held attempts. */
const ROLE_OF_SCOPE: Readonly<Record<string, PersonRole>> = {
  read: "viewer",
  write: "submitter",
  approve: "operator",
};

function liftScope(key: unknown): unknown {
  if (typeof key !== "object" || key === null || !("scope" in key)) return key;
  const { scope, ...rest } = key;
  return { ...rest, role: ROLE_OF_SCOPE[String(scope)] };
}

const keySchema = z.preprocess(
  liftScope,
  z.object({
    id: z.string(),
    /** SHA-256 of the secret, which has 192 random bits, so that no slow hash is needed. */
    hash: z.string(),
    role: personRoleSchema,
    createdAt: z.int(),
    expiresAt: z.int().nullable(),
  }),
);
export type ApiKey = z.infer<typeof keySchema>;

export interface KeyRing {
  list(): Promise<ApiKey[]>;
  /** Makes a key and returns its whole text, which is kept nowhere. */
  create(role: PersonRole, expiresAt: number | null): Promise<string>;
  revoke(id: string): Promise<boolean>;
  /** The key of a text like `ask_<id>_<secret>`, or null when it is wrong or expired. */
  check(text: string): Promise<ApiKey | null>;
}

const hashOf = (secret: string) => createHash("sha256").update(secret).digest();

/** API keys in a file, stored hashed. A missing file is an empty ring. */
export function openKeyRing(file: string): KeyRing {
  const list = async (): Promise<ApiKey[]> => {
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "[]";
      throw error;
    });
    return z.array(keySchema).parse(JSON.parse(text));
  };
  const save = async (keys: readonly ApiKey[]) => {
    const fresh = `${file}.${process.pid}`;
    await writeFile(fresh, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
    await rename(fresh, file);
  };
  return {
    list,
    async create(role, expiresAt) {
      const id = randomBytes(6).toString("hex");
      const secret = randomBytes(24).toString("hex");
      const key = { id, hash: hashOf(secret).toString("hex"), role, createdAt: Date.now(), expiresAt };
      await save([...(await list()), key]);
      return `ask_${id}_${secret}`;
    },
    async revoke(id) {
      const keys = await list();
      const left = keys.filter((key) => key.id !== id);
      if (left.length === keys.length) return false;
      await save(left);
      return true;
    },
    async check(text) {
      const [, id, secret] = /^ask_([0-9a-f]+)_([0-9a-f]+)$/.exec(text) ?? [];
      if (id === undefined || secret === undefined) return null;
      const key = (await list()).find((one) => one.id === id);
      if (key === undefined || !timingSafeEqual(Buffer.from(key.hash, "hex"), hashOf(secret))) return null;
      return key.expiresAt !== null && key.expiresAt < Date.now() ? null : key;
    },
  };
}
