import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SwarmStatus } from "@agentswarm/contracts";
import { freePort } from "../local/free-port.ts";
import { findCompose, openProject, type ComposeProject } from "./testing/compose-project.ts";

const command = findCompose();
if (command === null)
  console.warn("Docker or its base images are missing: the swarm in containers is NOT tested");

/** The order in which one of each is killed while the demo runs. */
const VICTIMS = ["planner", "dispatcher", "merger", "reconciler", "broker", "redis", "api", "model"];

describe.runIf(command !== null)("docker compose up", () => {
  let project: ComposeProject;
  const status = async () => (await (await fetch(`${project.url}/v1/status`)).json()) as SwarmStatus;
  let built: SwarmStatus;

  beforeAll(async () => {
    project = openProject(command ?? [], await freePort());
    await project.compose(["build"]);
    await project.up();
  }, 600_000);
  afterAll(() => project?.remove(), 120_000);

  test("without configuration REST, its documentation and Bull Board answer on loopback", async () => {
    for (const path of ["/v1/status", "/docs", "/queues", "/readyz", "/metrics"]) {
      expect([path, (await fetch(project.url + path)).status]).toEqual([path, 200]);
    }
    const published = await project.compose(["port", "api", "8080"]);
    expect(published).toMatch(/^127\.0\.0\.1:/);
    expect(await project.compose(["port", "redis", "6379"]).catch(() => "")).not.toMatch(/\d+\.\d+/);
  });

  test("the doctor finds everything that a service needs, with sandboxes by the broker", async () => {
    const { ok, findings } = JSON.parse(
      (await project.compose(["run", "--rm", "-T", "dispatcher", "doctor", "--json"])).trim(),
    ) as { ok: boolean; findings: { state: string }[] };
    expect([ok, findings.filter((one) => one.state === "fail")]).toEqual([true, []]);
    expect(JSON.stringify(findings)).toContain("isolated by docker");
  });

  test("the command line on the host reaches it by its URL", async () => {
    const cli = join(import.meta.dirname, "../../packages/cli/src/main.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [cli, "status", "--json"], {
      env: { ...process.env, SWARM_URL: project.url },
    });
    expect(JSON.parse(stdout)).toMatchObject({ services: { planner: 1, merger: 1 } });
  });

  test("features of the demo land while one of each service is killed", async () => {
    await project.up(["--scale", "dispatcher=3", "--no-recreate"]);
    expect((await status()).services["dispatcher"]).toBe(3);
    const demo = project.runWith(["demo", "--features", "3"], {});
    for (const victim of VICTIMS) await project.crash(victim);
    expect(await demo).toBe(0);
    built = await status();
    expect(built.features).toMatchObject({ done: 3 });
    expect(built.green).toBe(built.trunk);
    const format = "--format=%(trailers:key=Swarm-Task,valueonly,separator=)";
    const git = ["exec", "-T", "merger", "git", "-C", "/var/lib/swarm/origin/origin.git"];
    const log = await project.compose([...git, "log", format, "main"]);
    const landed = log.split("\n").filter((line) => line !== "");
    expect(new Set(landed).size).toBe(landed.length);
    expect(landed).toHaveLength(built.landings.total);
  }, 600_000);

  test("after down and up the state is the same", async () => {
    await project.compose(["down", "--timeout", "20"]);
    await project.up();
    const again = await status();
    expect(again).toMatchObject({ trunk: built.trunk, green: built.green, features: built.features });
  });

  test("a backup of the running swarm is restored into empty volumes only", async () => {
    const archive = join(project.dir, "swarm.tar");
    expect(await project.runWith(["backup", "save"], { output: archive })).toBe(0);
    expect(statSync(archive).size).toBeGreaterThan(100_000);
    expect(await project.runWith(["backup", "restore"], { input: archive })).toBe(1);
    await project.compose(["down", "--volumes", "--timeout", "5"]);
    expect(await project.runWith(["backup", "restore"], { input: archive })).toBe(0);
    await project.up();
    const restored = await status();
    expect(restored).toMatchObject({ trunk: built.trunk, green: built.green, features: built.features });
    expect(restored.landings.total).toBe(built.landings.total);
  });

  test("published on another address it demands a key, which a command creates", async () => {
    const published = { API_PUBLISHED_ON: "0.0.0.0" };
    const made = await project.compose(["run", "--rm", "-T", "api", "keys", "create"], published);
    const key = /ask_[0-9a-f]+_[0-9a-f]+/.exec(made)?.[0] ?? "";
    await project.up(["--no-deps", "api"], published);
    const board = (headers: Record<string, string>) => fetch(`${project.url}/queues`, { headers });
    expect((await board({})).status).toBe(401);
    const basic = Buffer.from(`me:${key}`).toString("base64");
    expect((await board({ authorization: `Basic ${basic}` })).status).toBe(200);
    const own = await fetch(`${project.url}/v1/status`, { headers: { authorization: `Bearer ${key}` } });
    expect(own.status).toBe(200);
  });
});
