import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm } from "../../tools/local/start-swarm.ts";
import { runFeature } from "../support/run-feature.ts";
import { git, makeStringKit } from "../support/string-kit.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-record-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Has a swarm build the feature on a fresh copy of the same repository; gives back the trunk's tree. */
async function build(name: string, scenarioDir: string, more: Record<string, string> = {}): Promise<string> {
  const own = join(dir, name);
  mkdirSync(own);
  const origin = makeStringKit(own);
  await using swarm = await startSwarm({
    home: join(own, "home"),
    env: {
      ...process.env,
      GIT_REPO_URL: origin,
      API_PORT: String(await freePort()),
      REDIS_URL: "",
      RECORDED_TARGET: "any",
      ...more,
    },
    scenarioDir,
    say: () => undefined,
  });
  const feature = await runFeature(swarm, {
    title: "Turn titles into slugs",
    acceptance: ["slugify has a test"],
  });
  expect(feature).toMatchObject({ status: "done", counts: { landed: 2, failed: 0 } });
  return git(origin, "rev-parse", "main^{tree}");
}

test("a run that is recorded plays back to the same trunk, file for file", async () => {
  const recorded = join(dir, "recorded");
  const first = await build("first", join(import.meta.dirname, "../fixtures/string-kit"), {
    RECORD: recorded,
  });
  const second = await build("second", recorded);
  expect(second).toBe(first);
});
