import type { TaskMessage } from "@agentswarm/contracts";
import type { DispatcherContext } from "./context.ts";
import { sendToMerger } from "./pass-on.ts";
import { defaultsAmong } from "./questions.ts";

type Approved = NonNullable<TaskMessage["approved"]>;

/** Sends an attempt that was held to the merger again, with the approval of a person. No agent runs. */
export async function sendApproved(
  { sender, log }: Pick<DispatcherContext, "sender" | "log">,
  { task, round, answers = [] }: TaskMessage,
  { attempt, by, head, baseCommit, handoff }: Approved,
): Promise<string> {
  const { repoId, featureId, id: taskId } = task;
  // Readers of events take the task of the new round as landing by this event: no attempt starts in it.
  await sender.event({
    id: `attempt-ended-${taskId}-${attempt}-approved`,
    type: "attempt.ended",
    repoId,
    featureId,
    taskId,
    attempt,
    data: { ...handoff, round, sentTo: "merge" },
  });
  const byDefault = defaultsAmong(answers);
  await sendToMerger(sender, task, handoff, { baseCommit, byDefault, approved: { by, head } });
  log.info({ featureId, taskId, attempt, queue: "merge", approvedBy: by }, "approved attempt passed on");
  return `attempt ${attempt} approved by ${by}`;
}
