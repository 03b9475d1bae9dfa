import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Feature } from "@agentswarm/contracts";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import { git, makeStringKit } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

let dir: string;
let origin: string;
let seed: string;
let swarm: LocalSwarm;
let feature: Feature & { tasks: { id: string; key: string; status: string }[] };
const said: string[] = [];

const get = async (path: string) => JSON.parse(await (await fetch(`${swarm.apiUrl}${path}`)).text());

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-journey-"));
  origin = makeStringKit(dir);
  seed = git(origin, "rev-parse", "main");
  swarm = await startSwarm({
    home: join(dir, "home"),
    env: {
      ...process.env,
      GIT_REPO_URL: origin,
      API_PORT: String(await freePort()),
      REDIS_URL: "",
      RECORDED_TARGET: "any",
    },
    scenarioDir: join(import.meta.dirname, "../fixtures/string-kit"),
    say: (line) => said.push(line),
  });

  const submitted = await fetch(`${swarm.apiUrl}/v1/features`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": "journey-1" },
    body: JSON.stringify({ title: "Turn titles into slugs", acceptance: ["slugify has a test"] }),
  });
  expect(submitted.status).toBe(202);
  const { id } = (await submitted.json()) as { id: string };
  expect(await get(`/v1/features/${id}`)).toMatchObject({ id });

  feature = await waitUntil(
    "the feature's end",
    120_000,
    async () => {
      const now = await get(`/v1/features/${id}`);
      feature = now;
      return ["done", "failed", "cancelled"].includes(now.status) ? now : null;
    },
    () => `It is ${JSON.stringify(feature)}. ${said.join("\n")}`,
  );
});

afterAll(async () => {
  await swarm?.stop();
  await rm(dir, { recursive: true, force: true });
});

test("the feature is done, and says how its tasks went", () => {
  expect(feature).toMatchObject({ status: "done", counts: { total: 2, landed: 2, failed: 0 } });
  expect(feature.tasks.map((task) => [task.key, task.status])).toEqual([
    ["slugify", "landed"],
    ["slug-file", "landed"],
  ]);
});

test("git holds one landing per task, in order, each with its trailers, on a linear history", () => {
  const log = git(
    origin,
    "log",
    "--reverse",
    "--format=%(trailers:key=Swarm-Task,valueonly,separator=)",
    `${seed}..main`,
  );
  expect(log.split("\n")).toEqual(feature.tasks.map((task) => task.id));
  const features = git(
    origin,
    "log",
    "--format=%(trailers:key=Swarm-Feature,valueonly,separator=)",
    `${seed}..main`,
  );
  expect(new Set(features.split("\n"))).toEqual(new Set([feature.id]));
  expect(git(origin, "rev-list", "--merges", "main")).toBe("");
  expect(git(origin, "merge-base", seed, "main")).toBe(seed);
});

test("the tree holds what the agents wrote, its checks pass, and green is the trunk", () => {
  const files = git(origin, "ls-tree", "-r", "--name-only", "main").split("\n");
  expect(files).toContain("src/slugify.js");
  expect(files).toContain("src/file-name.test.js");
  git(dir, "clone", "-q", origin, "look");
  expect(git(join(dir, "look"), "status", "--porcelain")).toBe("");
  expect(git(origin, "rev-parse", "green")).toBe(git(origin, "rev-parse", "main"));
  expect(git(origin, "fsck", "--strict")).not.toContain("error");
});

test("the api tells the same: task, commits, status, transcript, and Bull Board's queues", async () => {
  const task = await get(`/v1/tasks/${feature.tasks[0]?.id}`);
  expect(task).toMatchObject({ status: "landed" });
  const commits = git(origin, "rev-list", "--reverse", `${seed}..main`).split("\n");
  expect(JSON.stringify(task)).toContain(commits[0]);
  const status = await get("/v1/status");
  expect(JSON.stringify(status)).toContain(git(origin, "rev-parse", "main"));
  const transcript = await fetch(`${swarm.apiUrl}/v1/tasks/${feature.tasks[0]?.id}/transcript`);
  expect(await transcript.text()).toContain("src/slugify.js");
  const board = await fetch(`${swarm.apiUrl}/queues/api/queues`);
  const { queues } = (await board.json()) as { queues: { name: string; counts: Record<string, number> }[] };
  expect(queues.map((queue) => queue.name).toSorted()).toEqual(["event", "merge", "plan", "sweep", "task"]);
  expect(queues.find((queue) => queue.name === "merge")?.counts).toMatchObject({ completed: 2, failed: 0 });
});

test("every service was a process of its own and none had to be started again", () => {
  const services = ["planner", "dispatcher", "merger", "reconciler", "api"].map((name) =>
    swarm.processes.get(name),
  );
  expect(new Set(services.map((service) => service?.pid)).size).toBe(5);
  expect(services.map((service) => service?.restarts)).toEqual([0, 0, 0, 0, 0]);
});
