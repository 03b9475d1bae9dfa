import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openClient, type SwarmClient } from "@agentswarm/client";
import {
  isEventOf,
  TRUNK_HEALTH,
  type DomainEvent,
  type FeatureDetail,
  type FeatureInput,
} from "@agentswarm/contracts";
import { openQueue } from "@agentswarm/queue";
import { startReplay, type Replay } from "@agentswarm/replay";
import { loggedEvents, slotHolders } from "../support/queue.ts";
import { freePort } from "../../tools/local/free-port.ts";
import { seedOrigin } from "../../tools/local/origin.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import {
  landingsOffTrunk,
  movesBackwards,
  trailersOf,
  untestedTrees,
  workWithoutEnd,
} from "../support/invariants.ts";
import { filesUnder, processesOf, whereSecretIs } from "../support/leftovers.ts";
import { seededRandom, shuffled } from "../support/seeded-random.ts";
import { git } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

/**
 * The demo's first features while each service in turn and Redis are killed at random moments. What must hold afterwards
 * are invariants; the numbers of attempts, fixes and conflicts are not.
 */
const ROOT = join(import.meta.dirname, "../..");
const SEED = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const VICTIMS = ["planner", "dispatcher", "merger", "reconciler", "api", "redis"];
const ROUNDS = 2;
const FEATURES = 4;
const LONGEST_PAUSE_MS = 4_000;
const CANARY = `canary-${SEED}-of-a-model-key`;
const ENDED = ["done", "failed", "cancelled"];

let dir: string;
let home: string;
let origin: string;
let model: Replay;
let swarm: LocalSwarm;
let features: FeatureDetail[];
let events: DomainEvent[];
let sandboxesAtRest: string[];
let slotsAtRest: string[];
const diary: string[] = [];

beforeAll(async () => {
  process.stderr.write(`chaos: CHAOS_SEED=${SEED}\n`);
  dir = await mkdtemp(join(tmpdir(), "swarm-chaos-"));
  home = join(dir, "home");
  origin = await seedOrigin(join(ROOT, "target-repo"), dir);
  git(origin, "config", "core.logAllRefUpdates", "always");
  model = await startReplay({ scenarioDir: join(ROOT, "tools/demo/scenario"), port: 0 });
  swarm = await startSwarm({
    home,
    env: {
      ...process.env,
      GIT_REPO_URL: origin,
      API_PORT: String(await freePort()),
      REDIS_URL: "",
      // A model with prices and a key, so that spending and secrets have something to show.
      LLM_BASE_URL: model.url,
      LLM_API_KEY: CANARY,
      LLM_MODEL: "glm-5",
      MODEL_RECORDED: "true",
      RECONCILE_INTERVAL: "20",
      AUDIT_INTERVAL: "2",
    },
    scenarioDir: "",
    say: (line) => diary.push(line),
  });
  const client = openClient({ url: swarm.apiUrl });
  const inputs = JSON.parse(await readFile(join(ROOT, "tools/demo/features.json"), "utf8")) as FeatureInput[];
  const ids: string[] = [];
  for (const [nth, body] of inputs.slice(0, FEATURES).entries()) {
    const headers = { "idempotency-key": `chaos-${nth}` };
    ids.push((await client.submitFeature({ body, headers })).id);
  }

  await killEachInTurn(async () => (await look(client, ids)).every((one) => ENDED.includes(one.status)));
  features = await waitUntil(
    "the end of every feature",
    480_000,
    async () => {
      const now = await look(client, ids);
      return now.length > 0 && now.every((one) => ENDED.includes(one.status)) ? now : null;
    },
    () => `CHAOS_SEED=${SEED}\n${diary.join("\n")}`,
  );
  const health = await client.getFeature({ params: { id: TRUNK_HEALTH } }).catch(() => null);
  if (health !== null) features.push(health);
  const ends = features.map(({ title, status, reason }) => `${title}: ${status} (${reason ?? ""})`);
  process.stderr.write(
    `chaos: ${[...diary.filter((line) => line.startsWith("killed")), ...ends].join("\n  ")}\n`,
  );
  await lookAtRest();
  await swarm.stop();
  await model[Symbol.asyncDispose]();
}, 660_000);

afterAll(async () => {
  await swarm?.stop();
  await model?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

/** The features now; none while the api is away. */
async function look(client: SwarmClient, ids: readonly string[]): Promise<FeatureDetail[]> {
  return Promise.all(ids.map((id) => client.getFeature({ params: { id } }))).catch(() => []);
}

async function killEachInTurn(isOver: () => Promise<boolean>): Promise<void> {
  const random = seededRandom(SEED);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of shuffled(VICTIMS, random)) {
      await sleep(500 + random() * LONGEST_PAUSE_MS);
      if (round > 0 && (await isOver())) return;
      const { pid } = await waitUntil(`${name}'s start`, 30_000, () => {
        const victim = swarm.processes.get(name);
        return victim?.pid ? { pid: victim.pid } : null;
      });
      diary.push(`killed ${name} (${pid})`);
      process.kill(pid, "SIGKILL");
    }
  }
}

/** Every sandbox but those that wait for an attempt. */
async function sandboxesAtWork(): Promise<string[]> {
  const root = join(home, "sandboxes");
  const names = await readdir(root);
  const records = names.filter((name) => name.endsWith(".json"));
  const waiting: string[] = [];
  for (const name of records) {
    const record = await readFile(join(root, name), "utf8").catch(() => "");
    if (record.includes('"purpose":"pool"')) waiting.push(name.slice(0, -".json".length));
  }
  return names.filter((name) => !waiting.some((id) => name.startsWith(id)));
}

/** What can only be seen while Redis is up: events, places held, sandboxes once nothing is under way. */
async function lookAtRest(): Promise<void> {
  await using connection = await openQueue({ redisUrl: swarm.redisUrl, service: "test" });
  sandboxesAtRest = await waitUntil("quiet", 60_000, async () => {
    const names = await sandboxesAtWork();
    slotsAtRest = await slotHolders(connection, "attempts");
    return names.length === 0 && slotsAtRest.length === 0 ? names : null;
  });
  events = await loggedEvents(connection);
}

test("I1: every feature and each of its tasks ends, and what did not land says why", () => {
  expect(workWithoutEnd(features)).toEqual([]);
});

test("I2: landed tasks and trailers on the trunk match one to one", () => {
  expect(trailersOf(origin).length).toBeGreaterThan(0);
  expect(landingsOffTrunk(features, events, origin)).toEqual([]);
});

test("I3: the trunk and green only moved forward, and what was published is the tree that was tested", () => {
  const landings = events.filter(isEventOf("landing.landed")).filter(({ data }) => !("empty" in data));
  expect(new Set(landings.map((event) => event.taskId))).toEqual(new Set(trailersOf(origin)));
  expect(movesBackwards(origin)).toEqual([]);
  expect(untestedTrees(events, origin)).toEqual([]);
});

test("I4: no sandbox, lock, place or process is left", async () => {
  expect(sandboxesAtRest).toEqual([]);
  expect(slotsAtRest).toEqual([]);
  expect((await filesUnder(dir)).filter((file) => /\.lock$|\/shallow\.lock/.test(file))).toEqual([]);
  await waitUntil("the end of every process", 15_000, async () =>
    (await processesOf(dir)).length === 0 ? true : null,
  );
});

test("I5: no attempt spent more than its cap", () => {
  const costs = events.flatMap(({ type, data }) => (type === "model.used" ? [Number(data["costUsd"])] : []));
  expect(costs.some((cost) => cost > 0)).toBe(true);
  for (const feature of features) {
    const attempts = feature.tasks.reduce((sum, task) => sum + task.attempts, 0);
    expect(feature.costUsd).toBeLessThan((attempts + 10) * 5);
  }
});

test("I6: the model's key is in no log, event, artifact, git object or file", async () => {
  expect(await whereSecretIs(dir, CANARY)).toEqual([]);
});
