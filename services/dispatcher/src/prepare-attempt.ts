import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AnsweredQuestion, ParkedWork, Task } from "@agentswarm/contracts";
import type { JobContext } from "@agentswarm/queue";
import type { AttemptEvents } from "./attempt-events.ts";
import { makeAttemptFiles, type AttemptFiles } from "./attempt-files.ts";
import type { AttemptBase } from "./base.ts";
import type { DispatcherContext, DispatcherRepo } from "./context.ts";
import { startElapsed, type Elapsed } from "./elapsed.ts";
import type { NoteBox } from "./note-box.ts";
import { openTranscript, type Transcript } from "./transcript.ts";

export interface AttemptOrder {
  readonly task: Task;
  readonly round: number;
  readonly attempt: number;
  readonly job: JobContext;
  readonly events: AttemptEvents;
  readonly base: AttemptBase;
  readonly notes: NoteBox;
  /** Work that the attempt goes on upon. */
  readonly upon: ParkedWork | undefined;
  /** Questions of earlier attempts. */
  readonly answers: readonly AnsweredQuestion[];
}

export interface PreparedAttempt extends Omit<AttemptOrder, "upon"> {
  /** The same; null when there is none, or the store has lost it. */
  readonly upon: ParkedWork | null;
  readonly repo: DispatcherRepo;
  readonly elapsed: Elapsed;
  readonly files: AttemptFiles;
  readonly transcript: Transcript;
  readonly wallMs: number;
}

/** Makes everything that the attempt needs before it has a sandbox. */
export async function prepareAttempt(
  ctx: DispatcherContext,
  order: AttemptOrder,
  stack: AsyncDisposableStack,
): Promise<PreparedAttempt> {
  const { task, attempt, job, base } = order;
  const repo = ctx.repo(task.repoId);
  const elapsed = startElapsed((await ctx.connection.now()) - job.sentAt);
  const files = await makeAttemptFiles(repo, {
    task,
    attempt,
    upon: order.upon,
    bundles: base.bundles,
    dir: ctx.bundlesDir,
  });
  for (const file of [files.result, files.resolve])
    if (file !== null) stack.defer(() => rm(file, { force: true }));
  const ids = { featureId: task.featureId, taskId: task.id, attempt };
  const transcript = stack.use(
    await openTranscript(join(ctx.transcriptsDir, task.id, `${attempt}.jsonl`), (error) =>
      ctx.log.error({ ...ids, err: error }, "transcript cannot be written"),
    ),
  );
  return {
    ...order,
    repo,
    elapsed,
    files,
    upon: files.upon,
    transcript,
    wallMs: Math.min(ctx.wallMs, task.limits.wallMs),
  };
}
