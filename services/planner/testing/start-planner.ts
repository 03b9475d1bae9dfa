import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DEFAULT_REPO,
  jobId,
  NO_METRICS,
  NO_NOTES,
  type Budget,
  type DomainEvent,
  type Handoff,
  type MergeOutcome,
  type PlanMessage,
  type Sweep,
  type TaskMessage,
} from "@agentswarm/contracts";
import { createSender, openQueue, type QueueConnection, type Sender } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { startModel, type Answer, type ScriptedModel } from "../../../test/support/scripted-model.ts";
import { startService, type RunningService } from "../../../test/support/service.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import type { Ledger } from "../src/ledger/ledger.ts";
import { readWhole } from "./read-whole.ts";

const WITHIN_MS = 30_000;

/** A planner process with a real Redis, origin and scripted model; the test acts as dispatcher, merger and reconciler. */
export interface TestPlanner extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly origin: string;
  readonly model: ScriptedModel;
  readonly service: RunningService;
  /** Restarts the planner after it was killed, or with other settings. */
  again(more?: Record<string, string>): Promise<void>;
  /** Starts another planner beside the first, with the same settings. */
  another(): Promise<void>;
  submit(title?: string, budget?: Budget): Promise<string>;
  send(message: PlanMessage, id?: string): Promise<void>;
  /** The ledger once `until` holds. */
  ledger(featureId: string, until?: (ledger: Ledger) => boolean): Promise<Ledger>;
  /** The messages in the task queue, by the tasks' keys. */
  sent(): Promise<Map<string, TaskMessage>>;
  /** The message of a task's round that was not handed over yet; in a slow test the audit sends earlier ones again. */
  sentAs(key: string, round?: number): Promise<TaskMessage>;
  /** Makes a commit on the origin's trunk, as the merger does, and hands the attempt over as landed. */
  land(message: TaskMessage, change?: Partial<Handoff>): Promise<string>;
  /** Sends the handoff of an attempt with this outcome. */
  handOver(message: TaskMessage, outcome: MergeOutcome | null, change?: Partial<Handoff>): Promise<void>;
  events(): Promise<DomainEvent[]>;
  /** The reconciler's message about a sweep of the current trunk. */
  swept(outcome: Sweep["outcome"], signatures?: readonly string[], reason?: string): PlanMessage;
}

export async function startPlanner(
  answer: (nth: number, text: string, model: string) => Answer,
  more: Record<string, string> = {},
  /** Why the test needs a Redis of its own, if it does. */
  exclusive?: string,
): Promise<TestPlanner> {
  const dir = mkdtempSync(join(tmpdir(), "swarm-planner-"));
  const origin = makeStringKit(dir);
  const redis = await startRedis(exclusive === undefined ? {} : { exclusive });
  const model = await startModel(answer);
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
    SWARM_HOME: join(dir, "home"),
    GIT_REPO_URL: origin,
    LLM_BASE_URL: model.url,
    LLM_API_KEY: "k",
    LLM_MODEL: "glm-5",
    AUDIT_INTERVAL: "1",
    ATTEMPT_BUDGET: "2",
    ...more,
  };
  let service = startService("planner", env);
  await service.says("planning");
  const others: RunningService[] = [];
  let submitted = 0;

  const handedOver = new Set<string>();
  const nameOf = ({ task, round }: TaskMessage) => `${task.id}/${round}`;
  const sendings = async (): Promise<TaskMessage[]> => {
    const jobs = await bullQueue(connection, "task").getJobs();
    return jobs.map((job) => (job.data as { body: TaskMessage }).body);
  };
  const planner: TestPlanner = {
    redis,
    connection,
    sender,
    origin,
    model,
    get service() {
      return service;
    },
    async again(changed = {}) {
      service = startService("planner", { ...env, FAILPOINT: "", ...changed });
      await service.says("planning");
    },
    async another() {
      const other = startService("planner", env);
      others.push(other);
      await other.says("planning");
    },
    async submit(title = "One thing", budget) {
      submitted += 1;
      const id = `feature-${submitted}`;
      const feature = {
        id,
        repoId: DEFAULT_REPO,
        title,
        description: "",
        acceptance: [],
        priority: 5,
        source: "rest" as const,
      };
      const createdAt = await connection.now();
      await planner.send(
        { kind: "feature", feature: { ...feature, createdAt, ...(budget ? { budget } : {}) } },
        jobId.feature(id),
      );
      return id;
    },
    send: (message, id) => sender.send("plan", message, id === undefined ? {} : { jobId: id }),
    async ledger(featureId, until = () => true) {
      let last: Ledger | undefined;
      return waitUntil(
        `the ledger of ${featureId}`,
        WITHIN_MS,
        async () => {
          last = await readWhole(connection, featureId);
          return last !== undefined && until(last) ? last : null;
        },
        () => `It is ${JSON.stringify(last, null, 1)}\n${service.output()}`,
      );
    },
    sent: async () => new Map((await sendings()).map((body) => [body.task.key, body])),
    sentAs: (key, round = 1) =>
      waitUntil(
        `round ${round} of ${key}`,
        WITHIN_MS,
        async () =>
          (await sendings()).find(
            (body) => body.task.key === key && body.round === round && !handedOver.has(nameOf(body)),
          ) ?? null,
        () => service.output(),
      ),
    async land(message, change = {}) {
      const { id, featureId } = message.task;
      const tree = git(origin, "rev-parse", "main^{tree}");
      const text = `Land ${id}\n\nSwarm-Task: ${id}\nSwarm-Feature: ${featureId}\nSwarm-Attempt: 1`;
      const who = ["-c", "user.name=AgentSwarm Merger", "-c", "user.email=merger@agentswarm.invalid"];
      const commit = git(origin, ...who, "commit-tree", "-p", "main", "-m", text, tree);
      git(origin, "update-ref", "refs/heads/main", commit);
      await planner.handOver(message, { kind: "landed", commit, tree, group: 1 }, change);
      return commit;
    },
    async handOver({ task, round }, outcome, change = {}) {
      handedOver.add(nameOf({ task, round }));
      const handoff: Handoff = {
        taskId: task.id,
        attempt: round,
        round,
        outcome: "complete",
        end: "submitted",
        summary: "",
        ...NO_NOTES,
        metrics: NO_METRICS,
        headCommit: "c".repeat(40),
        model: "glm-5",
        ...change,
      };
      await bullQueue(connection, "task").remove(jobId.task(task.id, round));
      const message: PlanMessage = { kind: "handoff", featureId: task.featureId, handoff, outcome };
      await planner.send(message, jobId.handoff(task.id, handoff.attempt));
    },
    async events() {
      const jobs = await bullQueue(connection, "event").getJobs();
      return jobs.map((job) => (job.data as { body: DomainEvent }).body);
    },
    swept(outcome, signatures = [], reason) {
      const head = git(origin, "rev-parse", "main");
      const draftOf = (signature: string) => ({
        signature,
        title: `Fix ${signature}`,
        description: "",
        scope: [],
      });
      const sweep: Sweep = {
        why: "nudge",
        repoId: DEFAULT_REPO,
        head,
        tree: git(origin, "rev-parse", "main^{tree}"),
        outcome,
        checksHash: "h",
        checks: [],
        failures: [],
        green: outcome === "green" ? head : null,
        drafts: signatures.map(draftOf),
        ...(reason === undefined ? {} : { reason }),
      };
      return { kind: "swept", sweep };
    },
    async [Symbol.asyncDispose]() {
      for (const one of [service, ...others]) {
        one.child.kill("SIGKILL");
        await one.ended;
      }
      await connection[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return planner;
}

/** One task of a plan in a model's answer. */
export function planned(key: string, ...dependsOn: string[]) {
  return { key, title: `Do ${key}`, description: `All about ${key}`, dependsOn };
}
