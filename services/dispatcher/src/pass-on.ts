import { attemptRef, Fault, jobId, MAX_ANSWERS, type Handoff, type Task } from "@agentswarm/contracts";
import type { DispatcherContext } from "./context.ts";
import { decideRecipient } from "./decide-recipient.ts";
import type { EndedAttempt } from "./ended-attempt.ts";

/** Sends the one message in which every attempt ends. Sending it again adds no second job. */
export async function passOn(
  { sender, log }: DispatcherContext,
  task: Task,
  attempt: EndedAttempt,
): Promise<void> {
  const { handoff } = attempt;
  const { featureId } = task;
  const recipient = decideRecipient(attempt);
  if (recipient.queue === "merge") {
    const { baseCommit, byDefault, orderedBy } = recipient.attempt;
    const head = handoff.headCommit ?? undefined;
    const approved = orderedBy === undefined ? {} : { approved: { by: orderedBy, head } };
    await sendToMerger(sender, task, handoff, { baseCommit, byDefault, ...approved });
  } else {
    const body = { kind: "handoff", featureId, handoff, outcome: recipient.outcome } as const;
    await sender.send("plan", body, { jobId: jobId.handoff(task.id, handoff.attempt) });
  }
  const ids = { featureId, taskId: task.id, attempt: handoff.attempt };
  log.info({ ...ids, queue: recipient.queue }, "attempt passed on");
}

/** Sends a merge request. Throws Fault `internal` when the attempt has no commit. */
export async function sendToMerger(
  sender: DispatcherContext["sender"],
  task: Task,
  handoff: Handoff,
  of: {
    readonly baseCommit: string;
    readonly byDefault: readonly string[];
    readonly approved?: { readonly by: string; readonly head: string | undefined };
  },
): Promise<void> {
  const { baseCommit, byDefault, approved } = of;
  const { attempt, headCommit } = handoff;
  if (headCommit === null) throw new Fault("internal", `attempt ${attempt} of task ${task.id} has no commit`);
  const request = {
    taskId: task.id,
    featureId: task.featureId,
    repoId: task.repoId,
    attempt,
    ref: attemptRef(task.id, attempt),
    baseCommit,
    headCommit,
    title: task.title,
    kind: task.kind,
    handoff,
    approvedBy: approved?.by,
    approvedHead: approved?.head,
    ...(byDefault.length === 0 ? {} : { byDefault: byDefault.slice(-MAX_ANSWERS) }),
  };
  await sender.send("merge", request, { jobId: jobId.merge(task.id, attempt, approved !== undefined) });
}
