import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  DEFAULT_LIMITS,
  ROLE_OF_KIND,
  swarmKey,
  taskSchema,
  type AgentResult,
  type AgentRuntime,
  type Check,
  type Limits,
  type Progress,
  type Task,
} from "@agentswarm/contracts";
import { bundleFor, fetchQuarantined, makeBundle, openStore, type Inspection } from "@agentswarm/git";
import { startReplay } from "@agentswarm/replay";
import { createRouter, resolveBackends } from "@agentswarm/llm";
import {
  openSandboxProvider,
  sandboxSettingsSchema,
  type Mount,
  type SandboxProvider,
} from "@agentswarm/sandbox";
import { createLogger, parseEnv } from "@agentswarm/service";
import { git } from "../support/string-kit.ts";
import { watchDeadlines } from "../../services/dispatcher/src/deadlines.ts";
import { decideEnd } from "../../services/dispatcher/src/decide-end.ts";
import { startElapsed } from "../../services/dispatcher/src/elapsed.ts";
import { createGateway } from "../../services/dispatcher/src/gateway/gateway.ts";
import { runAgent } from "../../services/dispatcher/src/run-agent.ts";
import { AGENT_AT, startAgent } from "../../services/dispatcher/src/start-agent.ts";
import { buildAgent } from "@agentswarm/agent";
import { UNLIMITED_BUDGET } from "../support/unlimited-budget.ts";
import { readTranscript, type TranscriptMessage } from "./read-transcript.ts";
import type { ReplayFault, ReplayStep } from "./replay-steps.ts";

/** One attempt: the recorded answers of the model, and what differs from a plain build task. */
export interface AttemptOptions {
  readonly steps: readonly ReplayStep[];
  readonly injectFault?: ReplayFault;
  readonly task?: Partial<Task>;
  readonly limits?: Partial<Limits>;
  readonly checks?: readonly Check[];
  /** The steps from the first feedback on. They include the steps before it: the model counts a conversation's answers. */
  readonly afterFeedback?: readonly ReplayStep[];
  /** Absent: the built-in loop. */
  readonly runtime?: AgentRuntime;
  readonly mounts?: readonly Mount[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface AttemptOutcome {
  /** The dispatcher's decision. */
  readonly result: AgentResult;
  /** The result as the sandbox sent it. */
  readonly raw: unknown;
  /** The inspection of its commits in quarantine; null when it sent none. */
  readonly taken: Inspection | null;
  /** Calls of the model. */
  readonly calls: number;
  readonly transcript: readonly TranscriptMessage[];
}

export interface AttemptLab extends AsyncDisposable {
  readonly isolation: SandboxProvider["isolation"];
  /** The work tree of the origin. Attempts start from its branch main. */
  readonly work: string;
  /** Commits files in `work` and returns the commit. */
  commit(files: Record<string, string>, message?: string): Promise<string>;
  attempt(order: AttemptOptions): Promise<AttemptOutcome>;
  /** Runs git in the store of accepted commits. Returns its output. */
  inStore(...args: string[]): string;
}

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
  const settings = parseEnv(sandboxSettingsSchema, { ...process.env, ALLOW_UNISOLATED: "true" });
  const provider = await openSandboxProvider({ home: join(dir, "home"), swarm: "lab", settings });
  const log = createLogger({ service: "lab", level: "silent" });
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
    inStore: (...args) => git(store.dir, ...args),
    async attempt(order) {
      attempts += 1;
      const at = join(dir, `attempt-${attempts}`);
      await mkdir(join(at, "scenario"), { recursive: true });
      const task = taskSchema.parse({
        id: `task-${attempts}`,
        featureId: "feature-1",
        featureSlug: "feature",
        key: "task",
        kind: "build",
        title: "Do the task",
        description: "Follow the recorded steps.",
        priority: 5,
        ...order.task,
        limits: { ...DEFAULT_LIMITS, ...order.limits },
      });
      const key = swarmKey(task.featureSlug, task.key, ROLE_OF_KIND[task.kind]);
      const entry = { key, steps: order.steps, injectFault: order.injectFault };
      const later = { key, match: "is not accepted yet", steps: order.afterFeedback };
      const entries = order.afterFeedback === undefined ? [entry] : [later, entry];
      await writeFile(join(at, "scenario", "scenario.yaml"), JSON.stringify(entries));
      await using replay = await startReplay({ scenarioDir: join(at, "scenario") });

      const baseCommit = git(work, "rev-parse", "main");
      const { full, thin } = await bundleFor({ repoDir: work, commit: baseCommit, cacheDir: at });
      const { resolve } = task;
      const files = {
        full,
        thin,
        resolve:
          resolve === undefined
            ? null
            : await makeBundle(work, resolve.headCommit, resolve.baseCommit, join(at, "resolve.bundle")),
        result: join(at, "result.bundle"),
      };
      const settings = { LLM_BASE_URL: replay.url, LLM_API_KEY: "the-real-key", LLM_MODEL: "recorded" };
      const router = createRouter(resolveBackends(settings, {}));
      const gateway = createGateway(router, { model: "recorded", maxTokens: 4_000, log });
      const sandbox = await provider.open({
        labels: { swarm: "lab", purpose: "agent" },
        mounts: [...(order.mounts ?? []), { from: agentFile, at: AGENT_AT }],
      });
      const lines: Buffer[] = [];
      try {
        const agent = startAgent(sandbox);
        using deadlines = watchDeadlines(task.limits, () => agent.child.kill());
        using attemptKey = gateway.issue({
          ids: { featureId: task.featureId, taskId: task.id, attempt: attempts },
          limits: task.limits,
          role: "work",
          budget: UNLIMITED_BUDGET,
          expiresAt: Date.now() + 600_000,
          onExhausted: () => deadlines.endWithin(60_000),
        });
        const facts = await runAgent({
          agent,
          files,
          gateway,
          key: attemptKey,
          deadlines,
          elapsed: startElapsed(0),
          signal: order.signal ?? new AbortController().signal,
          assignment: {
            task,
            attempt: attempts,
            baseCommit,
            swarmKey: key,
            checks: [...(order.checks ?? [])],
            model: "recorded",
            gatewayKey: attemptKey.key,
            maxTokens: 4_000,
            temperature: 0,
            ...(order.runtime === undefined ? {} : { runtime: order.runtime }),
          },
          transcript: { append: (line) => void lines.push(line) },
          onProgress: order.onProgress ?? (() => {}),
        });
        const result = decideEnd(facts);
        const { headCommit } = result;
        const taken =
          headCommit === null
            ? null
            : await fetchQuarantined({
                bundlePath: files.result,
                baseCommit,
                headCommit,
                repoDir: join(work, ".git"),
                store,
                taskId: task.id,
                attempt: attempts,
              });
        return {
          result,
          raw: facts.result,
          taken,
          calls: attemptKey.calls(),
          transcript: readTranscript(Buffer.concat(lines).toString()),
        };
      } finally {
        await sandbox.terminate();
      }
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true, maxRetries: 3 }),
  };
}
