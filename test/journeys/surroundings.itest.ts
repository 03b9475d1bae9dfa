import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openClient, type SwarmClient } from "@agentswarm/client";
import type { FeatureDetail } from "@agentswarm/contracts";
import { startReplay } from "@agentswarm/replay";
import { makeTarget } from "../../bench/swarm/make-target.ts";
import { recordFeature, writeScenario } from "../../bench/swarm/record.ts";
import { freePort } from "../../tools/local/free-port.ts";
import { seedOrigin } from "../../tools/local/origin.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import { runSwarm } from "../cli/run-swarm.ts";
import { commitFiles } from "../support/commit-files.ts";
import { openModelProxy, type ModelFault, type ModelProxy } from "../support/model-proxy.ts";
import { mountSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { git } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

/**
 * One swarm with one wrong surrounding after another. Each time a feature says within 30 seconds what it waits for and what
 * ends the wait, nothing is charged for it, and it is done after the correction, without anybody touching the swarm.
 */
const SHOWN_WITHIN_MS = 30_000;
const DONE_WITHIN_MS = 60_000;
/** More than an attempt demands. */
const DISK_MIB = 100;

const stack = new AsyncDisposableStack();
let dir: string;
let origin: string;
let model: ModelProxy;
/** The disk of the bundles; null where this user may not mount one. */
let disk: SmallDisk | null;
let swarm: LocalSwarm;
let client: SwarmClient;
const recordings = Array.from({ length: 6 }, (_, nth) =>
  recordFeature(`Part ${nth + 1}`, { tasks: 1, firstPart: nth + 1, chained: false }),
);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "swarm-surroundings-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  origin = await seedOrigin(await makeTarget(join(dir, "target")), dir);
  const home = join(dir, "home");
  disk = mountSmallDisk(join(home, "bundles"), DISK_MIB);
  if (disk !== null) stack.use(disk);
  const hook = join(origin, "hooks/pre-receive");
  mkdirSync(join(origin, "hooks"), { recursive: true });
  // A protected branch of a host.
  writeFileSync(hook, "#!/bin/sh\nif test -e refuse; then echo 'GH006: Protected branch' >&2; exit 1; fi\n");
  chmodSync(hook, 0o755);
  push({ "test/red.test.js": 'throw new Error("red from the start");\n' });
  const scenarioDir = await writeScenario(join(dir, "scenario"), recordings);
  const replay = stack.use(await startReplay({ scenarioDir, port: 0 }));
  model = stack.use(await openModelProxy(replay.url));
  swarm = stack.use(
    await startSwarm({
      home,
      env: {
        ...process.env,
        GIT_REPO_URL: origin,
        API_PORT: String(await freePort()),
        REDIS_URL: "",
        LLM_BASE_URL: model.url,
        LLM_API_KEY: "a-key",
        LLM_MODEL: "glm-5",
        MODEL_RECORDED: "true",
        RECORDED_TARGET: "any",
        RECONCILE_INTERVAL: "2",
        AUDIT_INTERVAL: "2",
      },
      scenarioDir,
      say: () => undefined,
    }),
  );
  client = openClient({ url: swarm.apiUrl });
});
afterAll(() => stack.disposeAsync());

/** A person's commit on the trunk. */
function push(files: Record<string, string>): void {
  commitFiles(origin, [{ ref: "refs/heads/main", base: git(origin, "rev-parse", "main"), files }]);
}

let submitted = 0;
/** Submits the next feature while something is wrong, waits for its reason, corrects it and waits for the feature's end. */
async function survive(wrong: {
  readonly reason: RegExp;
  /** The cost of the feature while it waits. */
  readonly costUsd: (usd: number) => boolean;
  readonly correct: () => void;
}): Promise<FeatureDetail> {
  const { feature: body } = recordings[submitted++] ?? expect.fail("too few features are recorded");
  const { id } = await client.submitFeature({ body });
  const since = performance.now();
  let last: FeatureDetail | undefined;
  const look = async () => (last = await client.getFeature({ params: { id } }));
  const hint = () => `It is ${JSON.stringify(last)}`;
  let waitedMs = 0;
  try {
    await waitUntil(
      `a reason ${wrong.reason.source}`,
      SHOWN_WITHIN_MS,
      async () => (wrong.reason.test((await look()).waiting?.reason ?? "") ? true : null),
      hint,
    );
    waitedMs = performance.now() - since;
    const { stdout } = await runSwarm(["status", id], { SWARM_URL: swarm.apiUrl });
    expect(stdout).toMatch(wrong.reason);
    expect(wrong.costUsd(last?.costUsd ?? -1)).toBe(true);
  } finally {
    wrong.correct();
  }
  const done = await waitUntil(
    "the feature's end",
    DONE_WITHIN_MS,
    async () => (["done", "failed", "cancelled"].includes((await look()).status) ? await look() : null),
    hint,
  );
  expect(done).toMatchObject({ status: "done", waiting: null, counts: { total: 1, landed: 1 } });
  // It was worked on once, and nothing that went wrong counts as an attempt.
  expect(done.tasks.map(({ attempts }) => attempts)).toEqual([1]);
  process.stderr.write(`surroundings: ${wrong.reason.source} after ${Math.round(waitedMs)} ms\n`);
  return done;
}

const RED = /node --test.*fails here before any change/s;
const isFree = (usd: number) => usd === 0;

test("a trunk that is red before any landing: no model is asked for it until a person corrects it", async () => {
  // What the first sweep says; until then a plan would be paid for.
  await waitUntil("the notice", SHOWN_WITHIN_MS, async () =>
    (await client.getStatus()).notices.some(({ notice }) => RED.test(notice)) ? true : null,
  );
  await survive({
    reason: RED,
    costUsd: isFree,
    correct: () => push({ "test/red.test.js": "" }),
  });
});

test.each<[ModelFault, RegExp]>([
  ["wrong key", /answered 401.*correct LLM_API_KEY/s],
  ["wrong model", /answered 404.*correct LLM_MODEL/s],
  ["no network", /could not be reached.*LLM_BASE_URL/s],
])("%s", async (fault, reason) => {
  model.fault = fault;
  await survive({ reason, costUsd: isFree, correct: () => (model.fault = "none") });
});

test("fault 22: an origin that refuses the push", async () => {
  const refusal = join(origin, "refuse");
  writeFileSync(refusal, "");
  await survive({
    reason: /the push was refused.*let the account of GIT_WRITE_CREDENTIAL push/s,
    costUsd: (usd) => usd > 0,
    correct: () => rmSync(refusal),
  });
});

test("fault 19: a full disk", async ({ skip }) => {
  if (disk === null) return skip("only root can mount a disk that is small enough to be filled");
  const full = disk;
  full.fill();
  await survive({
    reason: /0 MiB of free space.*free/s,
    costUsd: (usd) => usd > 0,
    correct: () => full.free(),
  });
});
