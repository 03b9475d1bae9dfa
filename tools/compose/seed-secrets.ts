import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newPassword, REDIS_USERS, redisAcl, redisUrlFor, type RedisUser } from "../local/redis-users.ts";

/** The services that have sandboxes, and the broker that makes them. */
const BROKER_TOKEN_FOR = ["broker", "dispatcher", "merger", "reconciler"] as const;

/**
 * Writes into `dir` a folder of settings for each service, a file each: its REDIS_URL and, where it needs one,
 * BROKER_TOKEN. Passwords that are there already stay. The folder `redis` gets the ACL file with their hashes.
 */
export async function seedSecrets(
  dir: string,
  { prefix, address, brokerToken }: { prefix: string; address: string; brokerToken: string | undefined },
): Promise<void> {
  const passwords: Partial<Record<RedisUser, string>> = {};
  for (const user of REDIS_USERS) {
    const file = join(dir, user, "REDIS_URL");
    const present = await read(file);
    const password = present === null ? newPassword() : new URL(present).password;
    passwords[user] = password;
    await write(file, redisUrlFor(user, password, address), 0o600);
  }
  const token = brokerToken ?? (await read(join(dir, "broker", "BROKER_TOKEN"))) ?? newPassword();
  for (const service of BROKER_TOKEN_FOR) {
    // The broker is root without capabilities, so it reads only what everybody may; nobody else mounts its volume.
    await write(join(dir, service, "BROKER_TOKEN"), token, service === "broker" ? 0o644 : 0o600);
  }
  // Redis runs as another user; hashes of random passwords are no secret.
  await write(
    join(dir, "redis", "users.acl"),
    redisAcl(prefix, passwords as Record<RedisUser, string>),
    0o644,
  );
}

async function read(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

async function write(file: string, text: string, mode: number): Promise<void> {
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, text, { mode });
}
