import { createHash, createHmac, randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { QueueName } from "@agentswarm/contracts";
import type { ServiceName } from "./programs.ts";

/** `operator`: backups, benchmarks and a person at redis-cli. It may do what all services may, and save. */
export type RedisUser = ServiceName | "operator";

interface Rights {
  /** The queues whose jobs it adds, takes or cancels. */
  readonly queues: readonly QueueName[];
  /** The swarm's own keys that it uses (`QueueConnection.key`), as Redis patterns. */
  readonly keys: readonly string[];
}

const EVERY_QUEUE = ["plan", "task", "merge", "sweep", "event"] as const;

/**
 * What each service may touch in Redis. Scripts need the right to write what they read, so a service that asks for the
 * state of another one's job could also change it.
 */
const RIGHTS: Record<RedisUser, Rights> = {
  planner: {
    queues: EVERY_QUEUE,
    keys: [
      "ledger:*",
      "ledgers:*",
      "documents:ledger*",
      "documents:surveys*",
      "cost-history:*",
      "documents:cost-history*",
      "documents:tasks-in-use*",
      "documents:pauses*",
      "counters",
      "claims:*",
      "documents:model*",
      "documents:trunk*",
      "budget*",
      "leases:planning-*",
      "leases:audit",
    ],
  },
  dispatcher: {
    queues: ["task", "plan", "merge", "event"],
    keys: [
      "documents:rounds*",
      "documents:tasks-in-use*",
      "documents:trunk*",
      "documents:backends*",
      "documents:pauses*",
      "counters",
      "slots:*",
      "claims:*",
      "budget*",
    ],
  },
  merger: {
    queues: ["merge", "plan", "sweep", "event"],
    keys: ["counters", "leases:*", "documents:pauses*"],
  },
  reconciler: {
    queues: ["sweep", "plan", "event"],
    keys: ["documents:verdicts*", "documents:trunk*", "budget*"],
  },
  // It shows every queue, and retries the dead letters of every queue.
  api: {
    queues: EVERY_QUEUE,
    keys: [
      "view*",
      "documents:view-*",
      "documents:model*",
      "documents:trunk*",
      "documents:backends*",
      "documents:pauses*",
      "events*",
      "budget*",
    ],
  },
  operator: { queues: EVERY_QUEUE, keys: ["*"] },
};

export const REDIS_USERS = Object.keys(RIGHTS) as RedisUser[];

/** Everything that is no danger to the server or to others; BullMQ asks for the version and for the list of workers. */
const COMMANDS = [
  "+@all -@admin -@dangerous -function -fcall -fcall_ro -script|flush -script|kill -randomkey -scan",
  "+info +config|get +client|setname +client|id +client|info +client|list",
].join(" ");
const SAVING = "+bgsave +lastsave +role";

/** The ACL file of a Redis server for one swarm: a user for each service, and none without a password but for PING. */
export function redisAcl(prefix: string, passwords: Readonly<Record<RedisUser, string>>): string {
  const lines = REDIS_USERS.map((user) => {
    const { queues, keys } = RIGHTS[user];
    const own = [...queues.flatMap((queue) => [`crashes:${queue}`, `schedules:${queue}*`]), "waiting"];
    const patterns = [
      ...queues.map((queue) => `~{${prefix}}:${queue}:*`),
      ...[...keys, ...own, "probe:*", "alive:*", "loop-lag"].map((key) => `~{${prefix}}:swarm:${key}`),
    ];
    const hash = createHash("sha256").update(passwords[user]).digest("hex");
    const saving = user === "operator" ? ` ${SAVING}` : "";
    return `user ${user} on #${hash} resetchannels ${patterns.join(" ")} ${COMMANDS}${saving}`;
  });
  // For health checks. Any password is taken.
  const health = "user health on nopass resetchannels -@all +ping";
  // Nobody can be the default user, for it is off. It keeps its rights: Redis 7.0 replays its append-only file as this
  // user after a restart, and would drop every transaction that the user may not run.
  return ["user default off resetpass ~* &* +@all", health, ...lines, ""].join("\n");
}

export function newPassword(): string {
  return randomBytes(32).toString("hex");
}

/** The passwords of a Redis server under SWARM_HOME, from one secret that is made at the first start. */
export async function openRedisPasswords(dir: string): Promise<Record<RedisUser, string>> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, "secret");
  await writeFile(file, newPassword(), { mode: 0o600, flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await chmod(file, 0o600);
  const secret = await readFile(file, "utf8");
  const passwordOf = (user: string) => createHmac("sha256", secret).update(user).digest("hex");
  return Object.fromEntries(REDIS_USERS.map((user) => [user, passwordOf(user)])) as Record<RedisUser, string>;
}

export function redisUrlFor(user: RedisUser, password: string, address: string): string {
  return `redis://${user}:${password}@${address}`;
}
