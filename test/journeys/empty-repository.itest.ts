import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FeatureDetail, TaskDetail } from "@agentswarm/contracts";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import { git } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

let dir: string;
let origin: string;
let swarm: LocalSwarm;
const said: string[] = [];
const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-empty-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  origin = join(dir, "origin.git");
  git(dir, "init", "-q", "--bare", "--initial-branch=main", origin);
  swarm = stack.use(
    await startSwarm({
      home: join(dir, "home"),
      env: {
        ...process.env,
        GIT_REPO_URL: origin,
        API_PORT: String(await freePort()),
        REDIS_URL: "",
        RECORDED_TARGET: "any",
      },
      scenarioDir: join(import.meta.dirname, "../fixtures/empty-repository"),
      say: (line) => said.push(line),
    }),
  );
});

const get = async <T>(path: string) => (await (await fetch(`${swarm.apiUrl}${path}`)).json()) as T;
const post = (path: string, body: object) =>
  fetch(`${swarm.apiUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("a feature is built on an empty repository: a person approves the first package.json, and green has it", async () => {
  const submitted = await post("/v1/features", { title: "Begin the kit" });
  const { id } = (await submitted.json()) as { id: string };
  let last: FeatureDetail | undefined;
  const feature = (status: string) =>
    waitUntil(
      `the feature to be ${status}`,
      120_000,
      async () => {
        last = await get<FeatureDetail>(`/v1/features/${id}`);
        return last.status === status ? last : null;
      },
      () => `It is ${JSON.stringify(last)}. ${said.join("\n")}`,
    );

  const held = await feature("held");
  expect(held.reason).toContain("package.json");
  const task = await get<TaskDetail>(`/v1/tasks/${held.tasks[0]?.id}`);
  expect(task).toMatchObject({ status: "held", attemptsUsed: 0 });
  const approved = await post(`/v1/tasks/${task.id}/approve`, { head: task.heldCommit });
  expect(approved.status).toBe(202);

  expect(await feature("done")).toMatchObject({ counts: { total: 1, landed: 1, failed: 0 } });
  expect(git(origin, "log", "--reverse", "--format=%s", "main").split("\n")).toEqual([
    "Begin the project",
    "Greet by name",
  ]);
  expect(git(origin, "ls-tree", "-r", "--name-only", "green").split("\n")).toEqual([
    "package.json",
    "src/hello.js",
    "src/hello.test.js",
  ]);
});
