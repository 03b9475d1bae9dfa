import { rm } from "node:fs/promises";
import { join } from "node:path";
import { failpoint, swarmKeyLine, type Assignment, type Handoff, type Task } from "@agentswarm/contracts";
import { findChecks } from "@agentswarm/checks";
import { bundleFor, fetchAttempt, fetchQuarantined, makeBundle } from "@agentswarm/git";
import type { JobContext } from "@agentswarm/queue";
import { openDoor } from "@agentswarm/sandbox";
import { decideEnd } from "./decide-end.ts";
import { watchDeadlines } from "./deadlines.ts";
import { serveDoor, type Files } from "./serve-door.ts";
import { openTranscript } from "./transcript.ts";
import type { Workshop } from "./workshop.ts";

export interface AttemptOrder {
  readonly task: Task;
  readonly round: number;
  readonly attempt: number;
  readonly context: JobContext;
}

export interface Attempted {
  readonly handoff: Handoff;
  readonly baseCommit: string;
  /** Whether its commits lie in the store. */
  readonly stored: boolean;
  /** Why quarantine refused its commits, or null. */
  readonly unsafe: string | null;
}

const ROLE = { build: "work", command: "work", fix: "fix", resolve: "resolve" } as const;

/** Opens a sandbox, runs the agent in it, and takes in what it gives back. */
export async function runAttempt(shop: Workshop, order: AttemptOrder): Promise<Attempted> {
  const { task, attempt, round, context } = order;
  const { mirror, sender } = shop;
  await mirror.fetch();
  const baseCommit = await mirror.head();
  const readFile = (path: string) => mirror.readFile(baseCommit, path);
  const { settings: target } = await findChecks(readFile);
  const id = `${task.id}-${attempt}`;
  const about = { featureId: task.featureId, taskId: task.id, attempt };
  const log = shop.log.child(about);

  await using stack = new AsyncDisposableStack();
  const files = await bundlesFor(shop, task, baseCommit, id);
  if (files.resolve !== null) stack.defer(() => rm(files.resolve ?? "", { force: true }));
  stack.defer(() => rm(files.result, { force: true }));

  const wallMs = Math.min(shop.wallMs, task.limits.wallMs);
  const sandbox = await shop.provider.open({
    labels: { swarm: shop.swarm, purpose: "agent", task: task.id, attempt: String(attempt) },
    mounts: [...(await shop.dependencies.ensure(readFile)), { from: shop.agentFile, at: "agent.mjs" }],
    limits: { wallMs },
  });
  stack.defer(() => sandbox.terminate());
  failpoint("dispatcher.opened");
  const started = { provider: shop.provider.name, sandboxId: sandbox.id, baseCommit, round };
  await sender.event({ id: `attempt-started-${id}`, type: "attempt.started", ...about, data: started });
  await context.log(`attempt ${attempt} in sandbox ${sandbox.id} on ${baseCommit.slice(0, 10)}`);

  const swarmKey = `${task.featureSlug}/${task.key}/${ROLE[task.kind]}`;
  const ticket = shop.gateway.issue({ limits: task.limits, swarmKey: swarmKeyLine(swarmKey) });
  stack.defer(() => ticket.revoke());
  const assignment: Assignment = {
    task,
    attempt,
    baseCommit,
    swarmKey,
    checks: target.checks.gate,
    model: shop.model,
    gatewayKey: ticket.key,
    maxTokens: shop.maxTokens,
    temperature: shop.temperature,
  };
  const transcript = stack.use(await openTranscript(join(shop.transcriptsDir, task.id, `${attempt}.jsonl`)));
  const child = sandbox.exec(["node", join(sandbox.workDir, "agent.mjs")]);
  const errors = keepTail(child.stderr);
  const deadlines = stack.use(watchDeadlines({ wallMs, idleMs: task.limits.idleMs }, () => child.kill()));
  const received = serveDoor({
    assignment,
    files,
    transcript,
    gateway: shop.gateway,
    onSign: () => deadlines.touch(),
    onProgress: (progress) => {
      const at = `${progress.turn}-${progress.tool ?? ""}-${Date.now()}`;
      void context.log(`turn ${progress.turn} ${progress.tool ?? ""} ${progress.text ?? ""}`).catch(() => undefined);
      void sender
        .event({ id: `attempt-progressed-${id}-${at}`, type: "attempt.progressed", ...about, data: { ...progress } })
        .catch((error: unknown) => log.warn({ err: error }, "progress was not told"));
    },
  });
  const door = openDoor(child, received.handler);
  stack.defer(() => door.close());
  const onAbort = () => child.kill();
  context.signal.addEventListener("abort", onAbort);
  if (context.signal.aborted) onAbort();
  await Promise.race([received.finished, child.exit]);
  context.signal.removeEventListener("abort", onAbort);
  // Handed back or lost to another worker: what this run found must not be told.
  if (context.signal.aborted && context.signal.reason !== "cancel") throw new Error(String(context.signal.reason));
  await sandbox.terminate();
  const exit = await child.exit;
  failpoint("dispatcher.collected");

  const usage = ticket.usage();
  const result = decideEnd({
    result: received.result(),
    exit,
    cancelled: context.signal.aborted,
    overrun: deadlines.overrun(),
    overBudget: ticket.exhausted(),
    stderrTail: errors(),
  });
  const handoff: Handoff = {
    ...result,
    taskId: task.id,
    attempt,
    round,
    model: shop.model,
    metrics: { ...result.metrics, ...usage },
  };
  await sender.event({
    id: `model-used-${id}`,
    type: "model.used",
    ...about,
    data: { role: ROLE[task.kind], model: shop.model, ...usage },
  });
  log.info({ end: handoff.end, reason: handoff.reason, turns: handoff.metrics.turns, costUsd: usage.costUsd }, "attempt ended");
  if (handoff.headCommit === null || !received.hasBundle()) {
    return { handoff: { ...handoff, headCommit: null }, baseCommit, stored: false, unsafe: null };
  }
  const taken = await fetchQuarantined({
    bundlePath: files.result,
    baseCommit,
    headCommit: handoff.headCommit,
    repoDir: mirror.dir,
    store: shop.store,
    taskId: task.id,
    attempt,
  });
  failpoint("dispatcher.stored");
  if (taken.kind === "refused") return { handoff: { ...handoff, headCommit: null }, baseCommit, stored: false, unsafe: taken.why };
  // Which files changed is read off the commits, not taken from the agent's word.
  return { handoff: { ...handoff, filesChanged: taken.files }, baseCommit, stored: true, unsafe: null };
}

async function bundlesFor(shop: Workshop, task: Task, baseCommit: string, id: string): Promise<Files> {
  const { full, thin } = await bundleFor({ repoDir: shop.mirror.dir, commit: baseCommit, cacheDir: shop.bundlesDir });
  const result = join(shop.bundlesDir, `result-${id}.bundle`);
  const { resolve } = task;
  if (resolve === undefined) return { full, thin, resolve: null, result };
  await fetchAttempt(shop.store, shop.mirror.dir, resolve.ref);
  const file = join(shop.bundlesDir, `resolve-${id}.bundle`);
  return { full, thin, resolve: await makeBundle(shop.mirror.dir, resolve.headCommit, resolve.baseCommit, file), result };
}

const STDERR_CHARS = 4_000;

function keepTail(stream: NodeJS.ReadableStream): () => string {
  let tail = "";
  stream.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-STDERR_CHARS);
  });
  return () => tail;
}
