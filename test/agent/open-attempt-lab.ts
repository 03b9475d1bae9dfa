import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildAgent } from "@agentswarm/agent";
import {
  attemptRef,
  DEFAULT_LIMITS,
  ROLE_OF_KIND,
  swarmKey,
  taskSchema,
  type AgentRuntime,
  type Assignment,
  type Check,
  type Limits,
  type ParkedWork,
  type Progress,
  type PutQuestion,
  type Task,
} from "@agentswarm/contracts";
import {
  bundleFor,
  fetchAttempts,
  fetchQuarantined,
  makeBundle,
  openStore,
  type Inspection,
  type Store,
} from "@agentswarm/git";
import { startReplay } from "@agentswarm/replay";
import {
  openSandboxProvider,
  sandboxSettingsSchema,
  type Mount,
  type SandboxProvider,
} from "@agentswarm/sandbox";
import { parseEnv } from "@agentswarm/service";
import type { AttemptFiles } from "../../services/dispatcher/src/attempt-files.ts";
import type { NoteBox } from "../../services/dispatcher/src/note-box.ts";
import { AGENT_AT } from "../../services/dispatcher/src/start-agent.ts";
import { git } from "../support/string-kit.ts";
import type { ReplayFault, ReplayStep } from "./replay-steps.ts";
import { runWithGateway, type GatewayRun } from "./run-with-gateway.ts";

/** One attempt: the recorded answers of the model, and what differs from a plain build task. */
export interface AttemptOptions {
  readonly steps: readonly ReplayStep[];
  readonly injectFault?: ReplayFault;
  /** The steps from the first feedback on, or for a program from the answer to its question on. They include the steps before it: the model counts a conversation's answers. */
  readonly afterFeedback?: readonly ReplayStep[];
  /** The steps of a program from the first note on. Like `afterFeedback`, unless the note interrupted the program. */
  readonly afterNote?: readonly ReplayStep[];
  readonly task?: Partial<Task>;
  readonly limits?: Partial<Limits>;
  readonly checks?: readonly Check[];
  /** Absent: the built-in loop. */
  readonly runtime?: AgentRuntime;
  readonly mounts?: readonly Mount[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** What people say to its agent. */
  readonly notes?: NoteBox;
  readonly answer?: (question: PutQuestion) => string;
  /** What the assignment has beside the task. */
  readonly assignment?: Pick<Assignment, "upon" | "answers">;
}

export interface AttemptOutcome extends GatewayRun {
  /** Counted from 1 over all attempts of the lab. */
  readonly attempt: number;
  /** The inspection of its commits in quarantine; null when it sent none. */
  readonly taken: Inspection | null;
}

export interface AttemptLab extends AsyncDisposable {
  readonly isolation: SandboxProvider["isolation"];
  /** The work tree of the origin. Attempts start from its branch main. */
  readonly work: string;
  /** Commits files in `work` and returns the commit. */
  commit(files: Record<string, string>, message?: string): Promise<string>;
  attempt(options: AttemptOptions): Promise<AttemptOutcome>;
  commitOfMain(): string;
  /** Runs git in the store of accepted commits. Returns its output. */
  inStore(...args: string[]): string;
}

const MODEL = "recorded";
const MAX_TOKENS = 4_000;

/**
 * A world for attempts without a queue: an origin, a store, a sandbox provider and the real agent. Each attempt runs in a
 * real sandbox, and the dispatcher's gateway answers it from recorded steps.
 */
export async function openAttemptLab(): Promise<AttemptLab> {
  const dir = await mkdtemp(join(tmpdir(), "swarm-agent-"));
  const work = join(dir, "origin");
  git(dir, "init", "-q", "-b", "main", work);
  const agentFile = await buildAgent(join(dir, "agent.mjs"));
  const store = await openStore({ dir: join(dir, "store.git") });
  const settings = parseEnv(sandboxSettingsSchema, {
    ...process.env,
    ALLOW_UNISOLATED: "true",
    ALLOW_UNLIMITED: "true",
  });
  const provider = await openSandboxProvider({ home: join(dir, "home"), swarm: "lab", settings });
  let attempts = 0;

  const commit: AttemptLab["commit"] = async (files, message = "Begin") => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), text);
    }
    git(work, "add", "-A");
    git(work, "-c", "user.name=Seed", "-c", "user.email=seed@example.com", "commit", "-q", "-m", message);
    return git(work, "rev-parse", "HEAD");
  };
  await commit({ "README.md": "# Lab\n", "state.txt": "red\n", "src/a.txt": "one\ntwo\nthree\n" });

  return {
    isolation: provider.isolation,
    work,
    commit,
    commitOfMain: () => git(work, "rev-parse", "main"),
    inStore: (...args) => git(store.dir, ...args),
    async attempt(options) {
      attempts += 1;
      const attempt = attempts;
      const attemptDir = join(dir, `attempt-${attempt}`);
      const task = makeTask(`task-${attempt}`, options);
      const key = swarmKey(task.featureSlug, task.key, ROLE_OF_KIND[task.kind]);
      await using replay = await startReplay({ scenarioDir: await writeScenario(attemptDir, key, options) });
      const baseCommit = git(work, "rev-parse", "main");
      const files = await makeFiles({
        work,
        baseCommit,
        task,
        store,
        upon: options.assignment?.upon,
        dir: attemptDir,
      });
      await using stack = new AsyncDisposableStack();
      const sandbox = await provider.open({
        labels: { swarm: "lab", purpose: "agent" },
        mounts: [...(options.mounts ?? []), { from: agentFile, at: AGENT_AT }],
      });
      stack.defer(() => sandbox.terminate());

      const run = await runWithGateway({
        sandbox,
        files,
        modelUrl: replay.url,
        assignment: {
          task,
          attempt,
          baseCommit,
          swarmKey: key,
          checks: [...(options.checks ?? [])],
          model: MODEL,
          maxTokens: MAX_TOKENS,
          temperature: 0,
          notes: [...(options.notes?.before ?? [])],
          ...options.assignment,
          ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
        },
        signal: options.signal ?? new AbortController().signal,
        onProgress: options.onProgress ?? (() => undefined),
        ...(options.notes === undefined ? {} : { notes: options.notes }),
        ...(options.answer === undefined ? {} : { answer: options.answer }),
      });

      const { headCommit } = run.result;
      if (headCommit === null) return { ...run, attempt, taken: null };
      const commits = { bundlePath: files.result, baseCommit, headCommit };
      const origin = { repoDir: join(work, ".git"), store };
      return {
        ...run,
        attempt,
        taken: await fetchQuarantined({ ...commits, ...origin, taskId: task.id, attempt }),
      };
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function makeTask(id: string, { task, limits }: AttemptOptions): Task {
  return taskSchema.parse({
    id,
    featureId: "feature-1",
    featureSlug: "feature",
    key: "task",
    kind: "build",
    title: "Do the task",
    description: "Follow the recorded steps.",
    priority: 5,
    ...task,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
}

/** Writes the recorded answers as a scenario and returns its folder. */
async function writeScenario(
  dir: string,
  key: string,
  { steps, injectFault, afterFeedback, afterNote }: AttemptOptions,
): Promise<string> {
  const entry = { key, steps, injectFault };
  const later = { key, match: "is not accepted yet|You asked: ", steps: afterFeedback };
  const scenarioDir = join(dir, "scenario");
  await mkdir(scenarioDir, { recursive: true });
  const noted = { key, match: "What people say", steps: afterNote };
  const entries = [
    ...(afterNote === undefined ? [] : [noted]),
    ...(afterFeedback === undefined ? [] : [later]),
    entry,
  ];
  await writeFile(join(scenarioDir, "scenario.yaml"), JSON.stringify(entries));
  return scenarioDir;
}

async function makeFiles({
  work,
  baseCommit,
  task,
  store,
  upon,
  dir,
}: {
  work: string;
  baseCommit: string;
  task: Task;
  store: Store;
  upon: ParkedWork | undefined;
  dir: string;
}): Promise<AttemptFiles> {
  const { full, thin } = await bundleFor({ repoDir: work, commit: baseCommit, cacheDir: dir });
  // The lab gives every attempt a task of its own.
  if (upon !== undefined)
    await fetchAttempts(store, join(work, ".git"), [attemptRef(`task-${upon.attempt}`, upon.attempt)]);
  const conflict = upon ?? task.resolve;
  const resolve =
    conflict === undefined
      ? null
      : await makeBundle(work, conflict.headCommit, conflict.baseCommit, join(dir, "resolve.bundle"));
  return { full, thin, resolve, result: join(dir, "result.bundle") };
}
