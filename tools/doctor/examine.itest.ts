import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseEnv } from "@agentswarm/service";
import { doctorSettings } from "./config.ts";
import { examine } from "./examine.ts";

const root = mkdtempSync(join(tmpdir(), "swarm-doctor-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@e.x", ...args]);
function folder(name: string, files: Readonly<Record<string, string>> = {}): string {
  const dir = join(root, name);
  mkdirSync(dir);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
  return dir;
}
function checkout(name: string, files: Readonly<Record<string, string>>): string {
  const dir = folder(name, files);
  git("init", "-q", "--initial-branch=main", dir);
  git("-C", dir, "add", "--all");
  git("-C", dir, "commit", "-qm", "All");
  return dir;
}

/** The findings about the repository, by their names. */
async function examineRepository(env: Record<string, string>, isDeep = false, unpacks: string[] = []) {
  const own = { SWARM_HOME: join(root, "home"), RECORDED_TARGET: "any" };
  const all = { PATH: process.env["PATH"] ?? "", ...own, ...env };
  const settings = parseEnv(doctorSettings, all);
  const findings = await examine(settings, all, { isDeep, unpacks: new Set(unpacks) });
  return new Map(findings.map((finding) => [finding.name, finding]));
}

const failing = { "package.json": JSON.stringify({ scripts: { test: "echo the cause; exit 3" } }) };

test("right before the first start nothing is missing that npm start unpacks by itself", async () => {
  const env = {
    PATH: join(root, "nowhere"),
    SWARM_REDIS_SERVER: "no-such-redis",
    SWARM_TOOLS: join(root, "no-tools"),
    TARGET_REPO_PATH: folder("new"),
  };
  const PATH = process.env["PATH"];
  process.env["PATH"] = env.PATH;
  try {
    const found = await examineRepository(env, false, ["redis-server", "bwrap", "rg", "fd"]);
    expect(found.get("Redis")).toMatchObject({ state: "ok", detail: expect.stringContaining("npm start") });
    expect(found.get("ripgrep")).toMatchObject({ state: "ok" });
    expect(found.get("sandbox")).toMatchObject({
      state: "warn",
      detail: expect.stringContaining("npm start"),
    });
  } finally {
    process.env["PATH"] = PATH;
  }
});

test("an empty folder is a target without checks, which is a warning with what to write", async () => {
  const found = await examineRepository({ TARGET_REPO_PATH: folder("empty") });
  expect(found.get("checks")).toMatchObject({
    state: "warn",
    detail: expect.stringContaining("neither swarm.json nor package.json"),
    fix: expect.stringContaining('"gate"'),
  });
  expect([...found.values()].filter(({ name, state }) => name !== "Redis" && state === "fail")).toEqual([]);
});

test("without a model a target of one's own is a failure, because npm start refuses it", async () => {
  const found = await examineRepository({ TARGET_REPO_PATH: folder("mine"), RECORDED_TARGET: "sample" });
  expect(found.get("model")).toMatchObject({ state: "fail", detail: expect.stringContaining("mine") });
});

test("a checkout takes no push, and a check that fails on the trunk shows the end of its output", async () => {
  const path = checkout("checkout", failing);
  const found = await examineRepository({ GIT_REPO_URL: path }, true);
  expect(found.get("push")).toMatchObject({
    state: "fail",
    fix: expect.stringContaining(`TARGET_REPO_PATH=${path}`),
  });
  expect(found.get("dependencies")).toMatchObject({ state: "ok" });
  expect(found.get("check run")).toMatchObject({
    state: "fail",
    detail: expect.stringMatching(/fails on the trunk in a sandbox \(exit 3\):\nthe cause$/),
  });
});

test("a bare repository takes pushes, an empty one gets its first commit, and invalid settings are named", async () => {
  const bare = join(root, "bare.git");
  git("clone", "-q", "--bare", checkout("source", { "swarm.json": '{"checks": ,}' }), bare);
  const found = await examineRepository({ GIT_REPO_URL: bare });
  expect(found.get("push")).toMatchObject({ state: "ok" });
  expect(found.get("checks")).toMatchObject({
    state: "fail",
    detail: expect.stringContaining("swarm.json is not JSON"),
  });
  const empty = join(root, "empty.git");
  git("init", "-q", "--bare", empty);
  expect((await examineRepository({ GIT_REPO_URL: empty })).get("origin")).toMatchObject({
    state: "ok",
    detail: expect.stringContaining("is empty"),
  });
});
