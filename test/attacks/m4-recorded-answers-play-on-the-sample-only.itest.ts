import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openOrigin } from "@agentswarm/git";
import { needsSample, refuseHalfAModel } from "@agentswarm/llm";
import { seedOrigin } from "../../tools/local/origin.ts";
import { startSwarm } from "../../tools/local/start-swarm.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis } from "../support/redis.ts";
import { startService } from "../support/service.ts";
import { git, makeStringKit } from "../support/string-kit.ts";

const SAMPLE = resolve(import.meta.dirname, "../../target-repo");
let dir: string;
let payroll: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-attack-m4-"));
  payroll = makeStringKit(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Without the settings of a model, whatever the machine has. */
const env = async (more: Record<string, string>) => ({
  PATH: process.env["PATH"],
  HOME: process.env["HOME"],
  SWARM_REDIS_SERVER: process.env["SWARM_REDIS_SERVER"],
  API_PORT: String(await freePort()),
  ...more,
});
const start = async (name: string, more: Record<string, string>) => {
  const options = { home: join(dir, name), env: await env(more), scenarioDir: "", say: () => undefined };
  await using _swarm = await startSwarm(options);
};

test("a real repository without a model is refused with the setting to change, and nothing lands", async () => {
  const before = git(payroll, "rev-parse", "main");
  await expect(start("real", { GIT_REPO_URL: payroll })).rejects.toThrow(/sample project only.*LLM_BASE_URL/);
  expect(git(payroll, "rev-parse", "main")).toBe(before);
});

test("a folder of one's own is no sample, even a copy of it", async () => {
  const copy = join(dir, "copy");
  cpSync(SAMPLE, copy, { recursive: true });
  await expect(start("own", { TARGET_REPO_PATH: copy })).rejects.toThrow("LLM_BASE_URL");
});

test("a service that is started by itself refuses it too", async () => {
  const redis = await startRedis();
  const planner = startService("planner", {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    SWARM_HOME: join(dir, "planner"),
    GIT_REPO_URL: payroll,
    RECORDED_MODEL_URL: "http://127.0.0.1:9/v1",
  });
  expect(await planner.ended).toBe(1);
  expect(planner.output()).toMatch(/sample project only.*LLM_BASE_URL/);
  await redis.stop();
});

test.each([
  [{ LLM_API_KEY: "k" }, "LLM_BASE_URL"],
  [{ LLM_MODEL: "glm-5", LLM_API_KEY: "k" }, "LLM_BASE_URL"],
  [{ RUNPOD_API_KEY: "k" }, "RUNPOD_ENDPOINT_ID"],
  [{ MODAL_GLM_API_KEY: "k" }, "MODAL_GLM_URL"],
])("half a model is refused: %j misses %s", async (half, missing) => {
  await expect(start("half", half as Record<string, string>)).rejects.toThrow(missing);
});

test.each([
  [{}],
  [{ LLM_BASE_URL: "http://h/v1" }],
  [{ LLM_BASE_URL: "http://h/v1", LLM_MODEL: "m", LLM_API_KEY: "k" }],
  [{ RUNPOD_ENDPOINT_ID: "e", LLM_API_KEY: "k" }],
  [{ LLM_BACKENDS: "[]", LLM_API_KEY: "k", RUNPOD_API_KEY: "r" }],
  [{ LLM_API_KEY: " ", LLM_MODEL: "" }],
])("a whole model, or none, is accepted: %j", (settings) => {
  expect(() => refuseHalfAModel(settings)).not.toThrow();
});

test("the sample is known by its seed, and a clone of it is no sample", async () => {
  expect(needsSample({ RECORDED_TARGET: "sample" })).toBe(true);
  expect(needsSample({ RECORDED_TARGET: "sample", LLM_BASE_URL: "http://h/v1" })).toBe(false);
  const home = join(dir, "seeded");
  mkdirSync(home);
  const origin = await seedOrigin(SAMPLE, home);
  using _mirror = await openOrigin({ url: origin, mirrorDir: join(home, "mirror"), sampleOnly: true });
  const clone = join(dir, "clone.git");
  git(dir, "clone", "-q", "--bare", origin, clone);
  const opening = openOrigin({ url: clone, mirrorDir: join(home, "other"), sampleOnly: true });
  await expect(opening).rejects.toThrow("sample project only");
});
