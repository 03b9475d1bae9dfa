import { statSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openClient, type SwarmClient } from "@agentswarm/client";
import { TRUNK_HEALTH, type FeatureDetail } from "@agentswarm/contracts";
import { openBudgets, openQueue, reportLag } from "@agentswarm/queue";
import { startReplay } from "@agentswarm/replay";
import { measureLag } from "@agentswarm/service";
import { makeTarget } from "../../bench/swarm/make-target.ts";
import { recordFeature, writeScenario } from "../../bench/swarm/record.ts";
import { seedOrigin } from "../../tools/local/origin.ts";
import { filesUnder } from "../support/leftovers.ts";
import { loggedEvents, slotHolders } from "../support/queue.ts";
import { startRedis } from "../support/redis.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { git } from "../support/string-kit.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";
import { mediansOf } from "./bounded.ts";
import { chooseDisturbance } from "./disturbances.ts";
import { findViolations } from "./invariants.ts";
import { openPeople } from "./people.ts";
import { takeSample, type Sample } from "./sample.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { startCluster } from "./start-cluster.ts";

const HELP = `npm run soak: two of each service over one Redis, disturbed at random, and what must hold afterwards

  --minutes <n>   how long the swarm is disturbed; by default 3
  --seed <n>      the seed of an earlier run, which is printed at its start
  --keep          keep the folder with logs, origin and artifacts
  --json          print one JSON line last
  --help          this text

Services are killed, ended, suspended and given wrong clocks; Redis is silent, full, killed, and closes connections; the
network to it is slow, slices packets and falls silent; the disk is full (not with --keep; only root can mount one that is
small enough); people push to the trunk. The model is recorded.
Exit code 0 only if I1 to I6 and I8 of test/soak/invariants.ts hold at the end.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    seed: { type: "string" },
    keep: { type: "boolean" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const TASKS_PER_FEATURE = 3;
/** Under way at once, so that there is work at every moment. */
const FEATURES_AT_ONCE = 3;
const FEATURES_PER_MINUTE = 30;
const BETWEEN_DISTURBANCES_MS = 6_000;
const SAMPLE_EVERY_MS = 5_000;
const END_WITHIN_MS = 600_000;
const BUDGET_USD = 1_000;
const DISK_MIB = 300;
const DISK_MIB_PER_MINUTE = 8;
const ENDED = ["done", "failed", "cancelled"];

const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const random = seededRandom(seed);
const canary = `canary-${seed}-of-a-model-key`;
const say = (line: string) => process.stderr.write(`${line}\n`);
say(`soak: ${minutes} minutes, --seed ${seed}`);

const dir = await mkdtemp(join(tmpdir(), "swarm-soak-"));
const home = join(dir, "home");
const recordings = Array.from({ length: Math.ceil(minutes * FEATURES_PER_MINUTE) }, (_, nth) =>
  recordFeature(`Parts of feature ${nth}`, {
    tasks: TASKS_PER_FEATURE,
    firstPart: 1 + nth * TASKS_PER_FEATURE,
    chained: nth % 2 === 0,
  }),
);
let violations: Record<string, string[]> = {};
const figures: Record<string, unknown> = {};
try {
  violations = await soak();
} finally {
  if (values.keep) say(`kept in ${dir}`);
  else await rm(dir, { recursive: true, force: true });
}
const broken = Object.entries(violations).filter(([, found]) => found.length > 0);
for (const [name, found] of broken)
  say(`${name} is violated (--seed ${seed}):\n  ${found.slice(0, 20).join("\n  ")}`);
if (broken.length === 0) say("I1 to I6 and I8 hold");
const counts = Object.fromEntries(Object.entries(violations).map(([name, found]) => [name, found.length]));
if (values.json)
  process.stdout.write(`${JSON.stringify({ seed, minutes, ...figures, violations: counts })}\n`);
process.exitCode = broken.length === 0 ? 0 : 1;

async function soak(): Promise<Record<string, string[]>> {
  await using stack = new AsyncDisposableStack();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      void stack
        .disposeAsync()
        .then(() => rm(dir, { recursive: true, force: true }))
        .finally(() => process.exit(1));
    });
  }
  const origin = await seedOrigin(await makeTarget(join(dir, "target")), dir);
  git(origin, "config", "core.logAllRefUpdates", "always");
  const scenarioDir = await writeScenario(join(dir, "scenario"), recordings);
  const mib = Math.round(DISK_MIB + minutes * DISK_MIB_PER_MINUTE);
  const disk = values.keep ? null : mountSmallDisk(home, mib);
  if (disk === null) say("the disk is not filled: with --keep, and for users who may not mount one");
  else stack.use(disk);
  const model = stack.use(await startReplay({ scenarioDir, port: 0 }));
  const redis = stack.use(await startRedis({ exclusive: "a soak kills it", args: ["--appendonly", "yes"] }));
  const network = stack.use(await openTcpProxy(new URL(redis.url)));
  const connection = stack.use(
    await openQueue({ redisUrl: redis.url, service: "soak", onError: () => undefined }),
  );
  stack.use(reportLag(connection, stack.use(measureLag()).takeMaxMs));
  const cluster = stack.use(
    await startCluster({
      home,
      env: {
        ...process.env,
        SWARM_HOME: home,
        REDIS_URL: network.url,
        GIT_REPO_URL: origin,
        // A model with prices and a key, so that spending and secrets have something to show.
        LLM_BASE_URL: model.url,
        LLM_API_KEY: canary,
        LLM_MODEL: "glm-5",
        MODEL_RECORDED: "true",
        RECORDED_TARGET: "any",
        MAX_WORKERS: "3",
        RECONCILE_INTERVAL: "20",
        AUDIT_INTERVAL: "2",
        BUDGET_USD: String(BUDGET_USD),
        LOG_FORMAT: "json",
      },
      say: (line) => say(`  ${line}`),
    }),
  );
  const people = openPeople(origin, join(dir, "people"));
  const clients = cluster.apiUrls.map((url) => openClient({ url }));
  /** Of whichever api answers. */
  const ask = async <T>(question: (client: SwarmClient) => Promise<T>): Promise<T | null> => {
    for (const client of clients) {
      const answer = await question(client).catch(() => null);
      if (answer !== null) return answer;
    }
    return null;
  };

  const ids: string[] = [];
  const isUnderWay = new Set<string>();
  const samples: Sample[] = [];
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  const over = new AbortController();
  const isOver = () => elapsedMs() > minutes * 60_000;

  const submitting = (async () => {
    while (!isOver()) {
      for (const id of isUnderWay) {
        const status = await ask(async (client) => (await client.getFeature({ params: { id } })).status);
        if (status !== null && ENDED.includes(status)) isUnderWay.delete(id);
      }
      const next = recordings[ids.length];
      if (next !== undefined && isUnderWay.size < FEATURES_AT_ONCE) {
        const headers = { "idempotency-key": `soak-${ids.length}` };
        const accepted = await ask((client) => client.submitFeature({ body: next.feature, headers }));
        if (accepted !== null) {
          ids.push(accepted.id);
          isUnderWay.add(accepted.id);
        }
      }
      await sleep(500);
    }
  })();
  const sampling = (async () => {
    while (!over.signal.aborted) {
      const sample = await takeSample(cluster.members, connection, Math.round(elapsedMs() / 1_000)).catch(
        () => null,
      );
      if (sample !== null) samples.push(sample);
      await sleep(SAMPLE_EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();

  const scene = { members: cluster.members, redis, network, connection, people, disk, random };
  let disturbed = 0;
  while (!isOver()) {
    await sleep(random() * 2 * BETWEEN_DISTURBANCES_MS);
    const line = await chooseDisturbance(random)(scene);
    disturbed += 1;
    say(`${Math.round(elapsedMs() / 1_000)} s: ${line}`);
  }
  await submitting;

  say(`${ids.length} features were accepted; waiting for the end of all …`);
  const features: FeatureDetail[] = [];
  const ended = await waitUntil("the end of every feature", END_WITHIN_MS, async () => {
    const now = await ask((client) => Promise.all(ids.map((id) => client.getFeature({ params: { id } }))));
    if (now === null) return null;
    features.splice(0, features.length, ...now);
    return now.every(({ status }) => ENDED.includes(status)) ? true : null;
  }).catch(() => false);
  const health = await ask((client) => client.getFeature({ params: { id: TRUNK_HEALTH } }));
  if (health !== null) features.push(health);
  const rest = await waitForRest(() => slotHolders(connection, "attempts"));
  over.abort();
  await sampling;

  const events = await loggedEvents(connection);
  using budgets = openBudgets(connection, { BUDGET_USD });
  const { swarm } = await budgets.read();
  const byStatus = Object.groupBy(features, ({ status }) => status);
  Object.assign(figures, {
    disturbed,
    pushed: people.pushed,
    restarts: cluster.members.reduce((sum, { restarts }) => sum + restarts, 0),
    features: Object.fromEntries(Object.entries(byStatus).map(([status, of]) => [status, of.length])),
    landed: features.flatMap(({ tasks }) => tasks).filter(({ status }) => status === "landed").length,
    attempts: features.flatMap(({ tasks }) => tasks).reduce((sum, { attempts }) => sum + attempts, 0),
    events: events.length,
    endedInTime: ended,
    first: samples[0],
    last: samples.at(-1),
    lagMs: Object.fromEntries(mediansOf(samples.map(({ lagMs }) => lagMs))),
  });
  for (const { id, status, reason } of features) {
    if (status !== "done" && id !== TRUNK_HEALTH) say(`  ${id}: ${status}: ${reason}`);
  }
  await cluster[Symbol.asyncDispose]();
  const logBytes = (await filesUnder(join(home, "logs"))).reduce((sum, file) => sum + statSync(file).size, 0);
  const logMib = Math.round(logBytes / 2 ** 20);
  Object.assign(figures, { logMib });
  const found = await findViolations({
    dir: home,
    origin,
    features,
    events,
    ...rest,
    spent: { costUsd: swarm.spent.costUsd, capUsd: BUDGET_USD },
    samples,
    logMibPerMinute: logMib / Math.max(1, minutes),
    canary,
  });
  if (Object.values(found).some((one) => one.length > 0)) {
    const kept = await mkdtemp(join(tmpdir(), "swarm-soak-evidence-"));
    await cp(join(home, "logs"), join(kept, "logs"), { recursive: true });
    await cp(join(home, "artifacts/events"), join(kept, "events"), { recursive: true });
    await cp(origin, join(kept, "origin.git"), { recursive: true });
    say(`logs, events and the origin are kept in ${kept}`);
  }
  return found;
}

/** What is held once nothing is under way; all of it when that does not come. */
async function waitForRest(
  slotsNow: () => Promise<string[]>,
): Promise<{ slots: string[]; sandboxes: string[] }> {
  let held: { slots: string[]; sandboxes: string[] } = { slots: [], sandboxes: [] };
  await waitUntil("rest", 120_000, async () => {
    held = { slots: await slotsNow(), sandboxes: await sandboxesAtWork() };
    return held.slots.length + held.sandboxes.length === 0 ? true : null;
  }).catch(() => undefined);
  return held;
}

/** The ids of the sandboxes but of those that wait for an attempt. */
async function sandboxesAtWork(): Promise<string[]> {
  const root = join(home, "sandboxes");
  const found: string[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.endsWith(".json")) continue;
    const record = await readFile(join(root, name), "utf8").catch(() => "");
    if (record !== "" && !record.includes('"purpose":"pool"')) found.push(name);
  }
  return found;
}
