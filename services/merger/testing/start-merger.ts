import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attemptRef, DEFAULT_REPO, jobId, type MergeOutcome } from "@agentswarm/contracts";
import { openStore } from "@agentswarm/git";
import { createSender, jobBody, openQueue, type QueueConnection } from "@agentswarm/queue";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { makeHandoff } from "../../../test/support/make-handoff.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { startService, type RunningService } from "../../../test/support/service.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";

/** An attempt for the store: the files it writes, and its base commit. */
export interface Attempt {
  readonly taskId: string;
  readonly files: Readonly<Record<string, string>>;
  readonly base: string;
  /** Sent as an attempt that a person approved. */
  readonly approvedBy?: string;
}

/** A merger process with its Redis, origin and store. The test acts as the dispatcher. */
export interface TestMerger extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly connection: QueueConnection;
  readonly origin: string;
  readonly home: string;
  readonly service: RunningService;
  /** Starts the merger again, after a kill or with other settings. */
  again(more?: Record<string, string>): Promise<void>;
  head(): string;
  /** Writes attempts to the store, each as one commit on its base. */
  store(attempts: readonly Attempt[]): Promise<void>;
  /** Sends the merge requests of stored attempts, in this order. */
  request(attempts: readonly Attempt[]): Promise<void>;
  outcome(taskId: string, withinMs?: number): Promise<MergeOutcome>;
  /** The tasks that the trunk carries, newest first. */
  landed(): string[];
}

/** `checks`: the gate's commands, in the target's swarm.json; `files`: the files that the commands need. */
export async function startMerger(
  options: {
    checks?: readonly string[];
    files?: Readonly<Record<string, string>>;
    /** The URL by which the merger reaches the origin; its path otherwise. */
    urlOf?: (origin: string) => string;
    env?: Record<string, string>;
    /** An empty folder for origin and home, which the merger removes; a new one otherwise. */
    dir?: string;
  } = {},
): Promise<TestMerger> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "swarm-merger-"));
  const origin = makeStringKit(dir);
  const settings = JSON.stringify({ checks: { gate: options.checks ?? [] } });
  commitFiles(origin, [
    {
      ref: "refs/heads/main",
      files: { "swarm.json": settings, ...options.files },
      base: git(origin, "rev-parse", "main"),
    },
  ]);
  const redis = await startRedis();
  const home = join(dir, "home");
  const connection = await openQueue({
    redisUrl: redis.url,
    prefix: redis.prefix,
    service: "test",
    onError: () => undefined,
  });
  const sender = createSender(connection, "test");
  const env = {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    GIT_REPO_URL: options.urlOf?.(origin) ?? origin,
    SWARM_HOME: home,
    MODEL_RECORDED: "true",
    ...options.env,
  };
  let service = startService("merger", env);
  await service.says("merger ready");
  const store = await openStore({ dir: join(home, "store.git") });

  return {
    redis,
    connection,
    origin,
    home,
    get service() {
      return service;
    },
    async again(more = {}) {
      service = startService("merger", { ...env, FAILPOINT: "", ...more });
      await service.says("merger ready");
    },
    head: () => git(origin, "rev-parse", "main"),
    async store(attempts) {
      git(store.dir, "fetch", "-q", origin, "main");
      commitFiles(
        store.dir,
        attempts.map(({ taskId, ...rest }) => ({ ...rest, ref: attemptRef(taskId, 1) })),
      );
    },
    async request(attempts) {
      const heads = new Map(
        git(store.dir, "for-each-ref", "--format=%(refname) %(objectname)", "refs/swarm/")
          .split("\n")
          .map((line) => line.split(" ") as [string, string]),
      );
      for (const { taskId, base, approvedBy } of attempts) {
        const ref = attemptRef(taskId, 1);
        const headCommit = heads.get(ref) ?? "";
        const handoff = makeHandoff({ taskId, attempt: 1, headCommit });
        const about = {
          taskId,
          featureId: "feature-1",
          repoId: DEFAULT_REPO,
          attempt: 1,
          ref,
          baseCommit: base,
          headCommit,
        };
        const request = {
          ...about,
          title: taskId,
          handoff,
          ...(approvedBy === undefined ? {} : { approvedBy, approvedHead: headCommit }),
        };
        await sender.send("merge", request, { jobId: jobId.merge(taskId, 1, approvedBy !== undefined) });
      }
    },
    async outcome(taskId, withinMs = 40_000) {
      const body = await waitUntil(
        `the handoff of ${taskId}`,
        withinMs,
        async () =>
          (await jobBody(connection, "plan", jobId.handoff(taskId, 1))) ??
          (await jobBody(connection, "plan", jobId.handoff(taskId, 1, true))),
        () => service.output(),
      );
      if (body.kind !== "handoff" || body.outcome === null)
        throw new Error(`no outcome: ${JSON.stringify(body)}`);
      return body.outcome;
    },
    landed: () =>
      git(
        origin,
        "log",
        "--committer=merger@agentswarm.invalid",
        "--format=%(trailers:key=Swarm-Task,valueonly,separator=)",
        "main",
      )
        .split("\n")
        .filter((line) => line !== ""),
    async [Symbol.asyncDispose]() {
      service.child.kill("SIGKILL");
      await service.ended;
      await connection[Symbol.asyncDispose]();
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
