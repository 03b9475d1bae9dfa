import type { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

/** Small documents of one service, written by compare-and-set on their version. */
export interface Documents<T> {
  get(key: string): Promise<{ value: T; version: number } | null>;
  /** Writes version `expected + 1` if the stored one is `expected` (0: none yet). False when another writer was first. */
  compareAndSet(key: string, expected: number, value: T): Promise<boolean>;
  /**
   * Writes what `change` makes of the newest value, and calls it again when another writer was first. `change` gets
   * null for a document that does not exist, and the version that its result will have. A change that returns null or
   * the value it got writes nothing. Returns the newest value. Throws Fault `conflict` (retryable) after 100 tries.
   */
  update(key: string, change: (value: T | null, version: number) => T | null): Promise<T | null>;
  keys(): Promise<string[]>;
  all(): Promise<Map<string, T>>;
  delete(key: string): Promise<void>;
}

const COMPARE_AND_SET = `
local version = tonumber(redis.call("HGET", KEYS[2], ARGV[1]) or "0")
if version ~= tonumber(ARGV[2]) then return 0 end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[3])
redis.call("HSET", KEYS[2], ARGV[1], version + 1)
return 1`;

const TRIES = 100;

const READ = `return {redis.call("HGET", KEYS[1], ARGV[1]), redis.call("HGET", KEYS[2], ARGV[1])}`;

/**
 * Opens the documents of a namespace. Every value that is read is parsed by `schema`, which has to accept values that
 * older versions wrote. Throws Fault `internal` for a value that does not fit.
 */
export function openDocuments<S extends z.ZodType>(
  connection: QueueConnection,
  namespace: string,
  schema: S,
): Documents<z.infer<S>> {
  const values = connection.key("documents", namespace);
  const versions = connection.key("documents", namespace, "versions");
  const { redis } = connection;
  const parse = (key: string, text: string): z.infer<S> => {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new Fault(
      "internal",
      `document ${namespace}/${key} does not fit its schema: ${parsed.error.message}`,
    );
  };
  const documents: Documents<z.infer<S>> = {
    async get(key) {
      const answer = (await redis.eval(READ, 2, values, versions, key)) as [string | null, string | null];
      const [text, version] = answer;
      return text === null ? null : { value: parse(key, text), version: Number(version) };
    },
    async compareAndSet(key, expected, value) {
      const text = JSON.stringify(value);
      return (await redis.eval(COMPARE_AND_SET, 2, values, versions, key, String(expected), text)) === 1;
    },
    async update(key, change) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const found = await documents.get(key);
        const value = found?.value ?? null;
        const version = found?.version ?? 0;
        const changed = change(value, version + 1);
        if (changed === null || changed === value) return value;
        if (await documents.compareAndSet(key, version, changed)) return changed;
      }
      throw new Fault(
        "conflict",
        `document ${namespace}/${key} was changed during each of ${TRIES} tries to write it`,
        {
          retryable: true,
        },
      );
    },
    keys: () => redis.hkeys(values),
    async all() {
      const found = await redis.hgetall(values);
      return new Map(Object.entries(found).map(([key, text]) => [key, parse(key, text)]));
    },
    async delete(key) {
      await redis.multi().hdel(values, key).hdel(versions, key).exec();
    },
  };
  return documents;
}
