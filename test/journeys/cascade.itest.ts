import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptRef, DEFAULT_REPO, jobId, type TaskMessage } from "@agentswarm/contracts";
import { openStore } from "@agentswarm/git";
import { consume, createSender, openQueue } from "@agentswarm/queue";
import { bullQueue } from "../support/queue.ts";
import { commitFiles } from "../support/commit-files.ts";
import { makeHandoff } from "../support/make-handoff.ts";
import { startRedis } from "../support/redis.ts";
import { startModel } from "../support/scripted-model.ts";
import { startService } from "../support/service.ts";
import { git, makeStringKit } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

/**
 * Two hundred tasks from one base, a quarter of which edit the same ten lines. Such a load brings down swarms in which
 * conflict fixes cause further conflict fixes. Planner and merger are real processes. The test acts as the agents and as
 * a dispatcher: builds start from the first base, as if all had begun at once, and resolves start from the newest trunk.
 */
const TASKS = 200;
const isHot = (nth: number) => nth % 4 === 0;
const TEN = Array.from({ length: 10 }, (_, line) => `export const line${line} = 0;`);

const stack = new AsyncDisposableStack();
let origin: string;
let counts: { total: number; landed: number; underWay: number; failed: number; held: number };
let sent: TaskMessage[];

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), "swarm-cascade-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  origin = makeStringKit(dir);
  const files = { "src/hot.js": `${TEN.join("\n")}\n` };
  commitFiles(origin, [{ ref: "refs/heads/main", base: git(origin, "rev-parse", "main"), files }]);
  const base = git(origin, "rev-parse", "main");
  const store = await openStore({ dir: join(dir, "home/store.git") });
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const tasks = Array.from({ length: TASKS }, (_, nth) => ({
    key: `t${nth}`,
    title: `Task ${nth}`,
    description: "",
  }));
  const model = stack.use(
    await startModel((_, text) =>
      text.includes("/-/accept") ? { met: true, reason: "ok", tasks: [] } : { tasks },
    ),
  );
  const env = {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    GIT_REPO_URL: origin,
    SWARM_HOME: join(dir, "home"),
    LLM_BASE_URL: model.url,
    LLM_API_KEY: "k",
    LLM_MODEL: "glm-5",
    MAX_TASKS_PER_PLAN: String(TASKS),
    LANDING_GATE: "off",
    MODEL_RECORDED: "true",
  };
  const services = [startService("planner", env), startService("merger", env)];
  stack.defer(async () => {
    for (const service of services) service.child.kill("SIGKILL");
    await Promise.all(services.map((service) => service.ended));
  });
  await Promise.all([services[0]?.says("planning"), services[1]?.says("merger ready")]);

  const connection = stack.use(
    await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test", onError: () => undefined }),
  );
  const sender = createSender(connection, "test");
  sent = [];
  const work = async (message: TaskMessage): Promise<void> => {
    sent.push(message);
    const { task, round } = message;
    const nth = Number(/^t(\d+)/.exec(task.key)?.[1]);
    const from = task.kind === "build" ? base : git(origin, "rev-parse", "main");
    const lines = git(origin, "show", `${from}:src/hot.js`).split("\n");
    const hot = lines.map((line) => line.replace(/= .*;/, `= ${nth};`)).join("\n");
    const files = isHot(nth) ? { "src/hot.js": `${hot}\n` } : { [`src/own-${nth}.js`]: `// ${nth}\n` };
    git(store.dir, "fetch", "-q", origin, "main");
    const ref = attemptRef(task.id, round);
    commitFiles(store.dir, [{ ref, base: from, files }]);
    const headCommit = git(store.dir, "rev-parse", ref);
    const about = { taskId: task.id, featureId: task.featureId, repoId: task.repoId, attempt: round };
    const handoff = makeHandoff({ taskId: task.id, attempt: round, round, headCommit, model: "glm-5" });
    const request = { ...about, ref, baseCommit: from, headCommit, title: task.title, handoff };
    await sender.send("merge", request, { jobId: jobId.merge(task.id, round) });
  };
  stack.use(await consume(connection, "task", work, { concurrency: 20 }));
  const feature = {
    id: "feature-1",
    repoId: DEFAULT_REPO,
    title: "Many",
    description: "",
    acceptance: [],
    priority: 5,
  };
  const createdAt = await connection.now();
  await sender.send(
    "plan",
    { kind: "feature", feature: { ...feature, source: "rest", createdAt } },
    { jobId: jobId.feature("feature-1") },
  );

  counts = await waitUntil(
    "the end of every task",
    200_000,
    async () => {
      const changed = await bullQueue(connection, "event").getJobs(["waiting"], 0, 20_000, false);
      const events = changed.map((job) => (job.data as { body: { type: string; data: object } }).body);
      const last = events.filter((event) => event.type === "feature.changed").at(0)?.data as
        | { status: string; counts: typeof counts }
        | undefined;
      return last !== undefined &&
        last.status !== "queued" &&
        last.status !== "planning" &&
        last.counts.underWay === 0
        ? last.counts
        : null;
    },
    () => services.map((service) => service.output().slice(-2_000)).join("\n"),
  );
});
afterAll(() => stack.disposeAsync());

// Fault 25: a hundred tasks edit one file.
test("more than 90 % of the tasks land, and every task ends", () => {
  expect(counts.underWay + counts.held).toBe(0);
  expect(counts.landed).toBeGreaterThan(TASKS * 0.9);
  expect(counts.landed + counts.failed).toBe(counts.total);
});

test("each conflict causes one resolve task at most, and no resolve of a resolve", () => {
  const resolves = new Set(sent.filter(({ task }) => task.kind === "resolve").map(({ task }) => task.key));
  expect(resolves.size).toBeGreaterThan(0);
  expect(resolves.size).toBeLessThan(TASKS / 4);
  for (const key of resolves) expect(key).toMatch(/^t\d+-resolve$/);
  for (const { task } of sent) expect(["build", "resolve"]).toContain(task.kind);
});

test("the trunk has one commit per landing, and the file of every task without a conflict", () => {
  const landed = git(origin, "log", "--committer=merger@agentswarm.invalid", "--format=%H", "main").split(
    "\n",
  );
  expect(landed).toHaveLength(counts.landed);
  const files = git(origin, "ls-tree", "-r", "--name-only", "main").split("\n");
  expect(files.filter((file) => file.startsWith("src/own-"))).toHaveLength((TASKS * 3) / 4);
});
