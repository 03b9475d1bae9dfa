import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DEFAULT_REPO,
  jobId as jobIds,
  type DomainEvent,
  type Sweep,
  type SweepRequest,
} from "@agentswarm/contracts";
import { createSender, jobBody, openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis } from "../../../test/support/redis.ts";
import { startModel, type Answer, type ScriptedModel } from "../../../test/support/scripted-model.ts";
import { startService, type RunningService } from "../../../test/support/service.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { makeWaitingCheck, type RunningCheck } from "../../../test/support/waiting-check.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";

const WITHIN_MS = 30_000;

/** A reconciler process with Redis, origin and model. The test requests sweeps and acts as the planner. */
export interface TestReconciler extends AsyncDisposable {
  readonly home: string;
  readonly connection: QueueConnection;
  readonly origin: string;
  readonly model: ScriptedModel;
  readonly service: RunningService;
  /** Starts the reconciler again after its end, with other settings if there are any. */
  again(more?: Record<string, string>): Promise<void>;
  /** Commits these files to the trunk and returns the commit. */
  commit(files: Record<string, string>): string;
  ask(jobId: string, why?: SweepRequest["why"]): Promise<void>;
  /** The result of that sweep, as the planner receives it. */
  swept(jobId: string): Promise<Sweep>;
  green(): string | null;
  /** The next run of a check that the test ends; see `waitingCheck`. */
  nextCheck(): Promise<RunningCheck>;
  /** Live processes of such checks. */
  checksAlive(): Promise<string[]>;
  /** Files of a new tree whose only check is ended by the test. */
  waitingCheck(): Record<string, string>;
  events(): Promise<DomainEvent[]>;
}

/** A target's settings with these checks. */
export function checksAre(...commands: string[]): Record<string, string> {
  return { "swarm.json": JSON.stringify({ checks: { gate: commands } }) };
}

/** Starts a reconciler on a small library whose only check passes, and waits until its first sweep moved green. */
export async function startReconciler(
  answer: (nth: number, text: string) => Answer = () => ({ drafts: [] }),
  more: Record<string, string> = {},
): Promise<TestReconciler> {
  const dir = mkdtempSync(join(tmpdir(), "swarm-reconciler-"));
  const origin = makeStringKit(dir);
  const work = join(dir, "string-kit");
  git(work, "remote", "add", "origin", origin);
  const commit = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(work, path), text);
    git(work, "add", "-A");
    const who = ["-c", "user.name=Kit", "-c", "user.email=kit@example.com"];
    git(work, ...who, "commit", "-q", "--allow-empty", "-m", `Change ${Object.keys(files).join(", ")}`);
    git(work, "push", "-q", "--force", "origin", "HEAD:main");
    return git(work, "rev-parse", "HEAD");
  };
  commit(checksAre("true"));
  const redis = await startRedis();
  const model = await startModel(answer);
  const connection = await openQueue({
    redisUrl: redis.url,
    prefix: redis.prefix,
    service: "test",
    onError: () => undefined,
  });
  const sender = createSender(connection, "test");
  const home = join(dir, "home");
  const env = {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    SWARM_HOME: home,
    GIT_REPO_URL: origin,
    LLM_BASE_URL: model.url,
    LLM_API_KEY: "k",
    LLM_MODEL: "glm-5",
    ALLOW_UNISOLATED: "true",
    ALLOW_UNLIMITED: "true",
    // The timer starts one sweep at the beginning and no other during a test.
    RECONCILE_INTERVAL: "86400",
  };
  const started = async (changed: Record<string, string>) => {
    const service = startService("reconciler", { ...env, ...changed });
    await service.says("reconciler ready");
    return service;
  };
  let trees = 0;
  let service = await started({});
  const check = makeWaitingCheck(`decide-${dir.slice(-6)}`, () => service.output());
  const reconciler: TestReconciler = {
    home,
    connection,
    origin,
    model,
    get service() {
      return service;
    },
    async again(changed = {}) {
      service = await started(changed);
    },
    commit,
    ask: (jobId, why = "nudge") => sender.send("sweep", { why, repoId: DEFAULT_REPO }, { jobId }),
    swept: (jobId) =>
      waitUntil(
        `the sweep of ${jobId}`,
        WITHIN_MS,
        async () => {
          const message = await jobBody(connection, "plan", jobIds.swept(jobId));
          return message?.kind === "swept" ? message.sweep : null;
        },
        () => service.output(),
      ),
    green: () => git(origin, "for-each-ref", "--format=%(objectname)", "refs/heads/green") || null,
    nextCheck: () => check.next(),
    checksAlive: () => check.alive(),
    waitingCheck: () => ({
      nth: String((trees += 1)),
      ...checksAre(check.command),
      ...check.files,
    }),
    async events() {
      const jobs = await bullQueue(connection, "event").getJobs();
      return jobs.map((job) => (job.data as { body: DomainEvent }).body);
    },
    async [Symbol.asyncDispose]() {
      service.child.kill("SIGKILL");
      await service.ended;
      await connection[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await waitUntil(
    "the first green",
    WITHIN_MS,
    () => reconciler.green(),
    () => service.output(),
  );
  if (Object.keys(more).length > 0) {
    await service.stop();
    service = await started(more);
  }
  return reconciler;
}
