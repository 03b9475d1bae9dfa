import { setTimeout as sleep } from "node:timers/promises";
import type { QueueConnection } from "@agentswarm/queue";
import type { Supervised } from "../../tools/local/supervise.ts";
import type { TestRedis } from "../support/redis.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import type { People } from "./people.ts";
import type { SmallDisk } from "../support/small-disk.ts";

/** What a disturbance works on. `random` gives numbers in [0, 1) that the seed decides. */
export interface Scene {
  readonly members: readonly Supervised[];
  readonly redis: TestRedis;
  /** The network between the services and Redis. */
  readonly network: TcpProxy;
  /** Past that network. */
  readonly connection: QueueConnection;
  readonly people: People;
  /** The disk of SWARM_HOME; null where it cannot be filled. */
  readonly disk: SmallDisk | null;
  readonly random: () => number;
}

/** Disturbs the swarm. Resolves when the disturbance is over, with a line for the diary. */
export type Disturbance = (scene: Scene) => Promise<string>;

const between = (random: () => number, low: number, high: number) =>
  Math.round(low + random() * (high - low));

/** A random service that runs at this moment, or null. */
function pick({ members, random }: Scene): { name: string; pid: number } | null {
  const running = members.flatMap(({ name, pid }) => (pid === null ? [] : [{ name, pid }]));
  return running[Math.floor(random() * running.length)] ?? null;
}

const signal =
  (name: NodeJS.Signals): Disturbance =>
  async (scene) => {
    const victim = pick(scene);
    if (victim !== null) process.kill(victim.pid, name);
    return `${name} to ${victim?.name ?? "nobody"}`;
  };

const suspend: Disturbance = async (scene) => {
  const victim = pick(scene);
  const ms = between(scene.random, 500, 12_000);
  if (victim === null) return "nobody to suspend";
  process.kill(victim.pid, "SIGSTOP");
  await sleep(ms);
  try {
    process.kill(victim.pid, "SIGCONT");
  } catch {
    // It was killed meanwhile.
  }
  return `suspended ${victim.name} for ${ms} ms`;
};

/** Closes every second connection on average, of whichever service. */
const reset: Disturbance = async ({ connection, random }) => {
  const clients = String(await connection.redis.call("CLIENT", "LIST"));
  const own = await connection.redis.client("ID");
  const ids = Array.from(clients.matchAll(/^id=(\d+)/gm), ([, id]) => Number(id)).filter((id) => id !== own);
  const chosen = ids.filter(() => random() < 0.5);
  for (const id of chosen)
    await connection.redis.call("CLIENT", "KILL", "ID", String(id)).catch(() => undefined);
  return `reset ${chosen.length} of ${ids.length} connections`;
};

const silence: Disturbance = async ({ redis, random }) => {
  const ms = between(random, 300, 4_500);
  await redis.pause();
  await sleep(ms);
  await redis.resume();
  return `Redis silent for ${ms} ms`;
};

/** Fault 18: what is sent arrives late and in pieces. */
const slowDown: Disturbance = async ({ network, random }) => {
  const ms = between(random, 2_000, 15_000);
  const slow = { latencyMs: between(random, 5, 150), slices: between(random, 1, 8) };
  // Of its own: how many packets there are depends on the time, and must not decide what comes next.
  network.slowDown({ ...slow, random: seededRandom(between(random, 0, 2 ** 31)) });
  await sleep(ms);
  network.heal();
  return `packets up to ${slow.latencyMs} ms late and in ${slow.slices} slices for ${ms} ms`;
};

/** Fault 17: connections stay open, but nothing arrives any more; after it, only new ones work. */
const partition: Disturbance = async ({ network, random }) => {
  const ms = between(random, 300, 4_500);
  network.silence();
  await sleep(ms);
  network.heal();
  return `the network silent for ${ms} ms, all open connections for ever`;
};

const fillRedis: Disturbance = async ({ connection, random }) => {
  const ms = between(random, 1_000, 4_000);
  await connection.redis.config("SET", "maxmemory", "1");
  await sleep(ms);
  await connection.redis.config("SET", "maxmemory", "0");
  return `Redis full for ${ms} ms`;
};

const fillDisk: Disturbance = async ({ disk, random }) => {
  const ms = between(random, 1_000, 4_000);
  if (disk === null) return "no disk to fill";
  disk.fill();
  await sleep(ms);
  disk.free();
  return `the disk full for ${ms} ms`;
};

const restartRedis: Disturbance = async ({ redis }) => {
  await redis.restart();
  return "Redis killed and started again";
};

const push: Disturbance = async ({ people, random }) => {
  const times = random() < 0.3 ? 8 : 1;
  for (let nth = 0; nth < times; nth += 1) {
    await people.push();
    if (times > 1) await sleep(500);
  }
  return `people pushed ${times} times`;
};

/** Each as often as its weight. */
const DISTURBANCES: readonly (readonly [number, Disturbance])[] = [
  [4, signal("SIGKILL")],
  [2, signal("SIGTERM")],
  [3, suspend],
  [3, reset],
  [2, silence],
  [3, slowDown],
  [1, partition],
  [2, fillRedis],
  [2, fillDisk],
  [1, restartRedis],
  [3, push],
  // See skewed-clock.mjs.
  [2, signal("SIGUSR2")],
];

export function chooseDisturbance(random: () => number): Disturbance {
  const total = DISTURBANCES.reduce((sum, [weight]) => sum + weight, 0);
  let at = random() * total;
  for (const [weight, disturbance] of DISTURBANCES) {
    at -= weight;
    if (at < 0) return disturbance;
  }
  return push;
}
