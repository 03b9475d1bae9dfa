import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptRef, jobId, NO_METRICS } from "@agentswarm/contracts";
import { openStore } from "@agentswarm/git";
import { createSender, jobBody, openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";

const FAILPOINTS = ["looked", "built", "gated", "published", "decided", "handed", "told"];

let dir: string;
let origin: string;
let home: string;
let redis: TestRedis;
let connection: QueueConnection;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-merger-"));
  origin = makeStringKit(dir);
  home = join(dir, "home");
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, service: "test" });
});

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await connection?.[Symbol.asyncDispose]();
  await redis?.stop();
  await rm(dir, { recursive: true, force: true });
});

function startMerger(failpoint: string): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    env: {
      ...process.env,
      REDIS_URL: redis.url,
      GIT_REPO_URL: origin,
      SWARM_HOME: home,
      MODEL_RECORDED: "true",
      FAILPOINT: failpoint,
    },
    stdio: process.env["SHOW"] ? "inherit" : "ignore",
  });
  children.add(child);
  child.on("exit", () => children.delete(child));
  return child;
}

/** Puts an attempt that adds one file into the store, as the dispatcher would, and asks for its landing. */
async function requestLanding(taskId: string): Promise<void> {
  const work = join(dir, taskId);
  git(dir, "clone", "-q", origin, work);
  const baseCommit = git(work, "rev-parse", "HEAD");
  await mkdir(join(work, "src"), { recursive: true });
  await writeFile(join(work, "src", `${taskId}.js`), `export const name = "${taskId}";\n`);
  git(work, "add", "-A");
  const message = `Add ${taskId}\n\nSwarm-Task: somebody-elses`;
  git(work, "-c", "user.name=Agent", "-c", "user.email=a@example.com", "commit", "-q", "-m", message);
  const headCommit = git(work, "rev-parse", "HEAD");
  const store = await openStore({ dir: join(home, "store.git") });
  const ref = attemptRef(taskId, 1);
  git(work, "push", "-q", store.dir, `HEAD:${ref}`);
  const handoff = {
    taskId,
    attempt: 1,
    round: 1,
    outcome: "complete" as const,
    end: "submitted" as const,
    summary: "",
    did: [],
    deviations: [],
    concerns: [],
    suggestions: [],
    filesChanged: [],
    checks: [],
    metrics: NO_METRICS,
    headCommit,
    model: "recorded",
  };
  await createSender(connection, "test").send(
    "merge",
    { taskId, featureId: "feature-1", attempt: 1, ref, baseCommit, headCommit, title: taskId, handoff },
    { jobId: jobId.merge(taskId, 1) },
  );
}

const landed = () =>
  git(origin, "log", "--format=%(trailers:key=Swarm-Task,valueonly,separator=)", "main")
    .split("\n")
    .filter((line) => line !== "");

test.each(FAILPOINTS)(
  "killed at merger.%s, the attempt lands exactly once and is handed over",
  async (name) => {
    const before = git(origin, "rev-parse", "main");
    const taskId = `task-${name}`;
    await requestLanding(taskId);
    const killed = startMerger(`merger.${name}`);
    const [, signal] = (await once(killed, "exit")) as [number | null, NodeJS.Signals | null];
    expect(signal).toBe("SIGKILL");

    const merger = startMerger("");
    const message = await waitUntil("the handoff", 40_000, () =>
      jobBody(connection, "plan", `handoff-${taskId}-1`),
    );
    const outcome = message.kind === "handoff" ? message.outcome : null;
    expect(["landed", "already-landed"]).toContain(outcome?.kind);
    await waitUntil("the job's end", 40_000, async () => {
      const state = await connection.queue("merge").getJobState(jobId.merge(taskId, 1));
      return state === "completed" ? state : null;
    });
    merger.kill("SIGTERM");
    const [code] = (await once(merger, "exit")) as [number | null];
    expect(code).toBe(0);

    expect(landed().filter((one) => one === taskId)).toHaveLength(1);
    expect(landed()).not.toContain("somebody-elses");
    expect(git(origin, "merge-base", before, "main")).toBe(before);
    expect(git(origin, "rev-list", "--count", `${before}..main`)).toBe("1");
  },
);
