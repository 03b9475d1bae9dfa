import {
  maskSecrets,
  plainText,
  ROLE_OF_KIND,
  type BudgetLevel,
  type EventData,
  type EventToSend,
  type Handoff,
  type HeardNote,
  type Progress,
  type Task,
} from "@agentswarm/contracts";
import type { Usage } from "@agentswarm/llm";
import type { JobContext } from "@agentswarm/queue";
import type { DispatcherContext } from "./context.ts";

/** Emits the events of one attempt, and writes them to the log of its job. */
export interface AttemptEvents {
  started(data: EventData<"attempt.started">): Promise<void>;
  progressed(progress: Progress): void;
  /** One answered model call, numbered from 1. */
  used(usage: Usage, call: number): void;
  /** Its model was sent a note. */
  heard(one: HeardNote): void;
  budgetReached(why: string, level: BudgetLevel): void;
  /** Has no effect on an attempt that was not started, or that has ended. */
  ended(handoff: Handoff, figures?: AttemptFigures): Promise<void>;
}

/** The data of `attempt.ended` beside the handoff. */
export type AttemptFigures = Pick<
  EventData<"attempt.ended">,
  "sentTo" | "sandbox" | "sentToReadyMs" | "sentToWorkMs"
>;

type AttemptEvent =
  | "attempt.started"
  | "attempt.progressed"
  | "attempt.ended"
  | "model.used"
  | "note.heard"
  | "budget.reached";

export function openAttemptEvents(
  ctx: Pick<DispatcherContext, "sender" | "log" | "model">,
  task: Task,
  attempt: number,
  job: Pick<JobContext, "log">,
): AttemptEvents {
  const about = { repoId: task.repoId, featureId: task.featureId, taskId: task.id, attempt };
  const log = ctx.log.child({ featureId: task.featureId, taskId: task.id, attempt });
  const emit = <T extends AttemptEvent>(type: T, id: string, data: EventData<T>) =>
    // The parameters belong together by T, which the compiler does not see once they are one object.
    ctx.sender.event({ id: `${id}-${task.id}-${attempt}`, type, ...about, data } as EventToSend);
  // The job's log is for people. Without a line of it the attempt goes on.
  const toJobLog = (line: string) =>
    job
      .log(line)
      .catch((error: unknown) => log.warn({ err: error }, "line could not be written to the job's log"));
  let progressCount = 0;
  let isOpen = false;
  return {
    async started(data) {
      isOpen = true;
      log.info({ sandboxId: data.sandboxId, baseCommit: data.baseCommit }, "attempt started");
      await emit("attempt.started", "attempt-started", data);
      await toJobLog(`attempt ${attempt} in sandbox ${data.sandboxId} on ${data.baseCommit.slice(0, 10)}`);
    },
    progressed(progress) {
      progressCount += 1;
      const text = maskSecrets(plainText(progress.text ?? ""));
      const tool = maskSecrets(plainText(progress.tool ?? ""));
      const data = {
        turn: progress.turn,
        ...(tool === "" ? {} : { tool }),
        ...(text === "" ? {} : { text }),
      };
      void toJobLog(`turn ${progress.turn} ${tool} ${text}`.trimEnd());
      void emit("attempt.progressed", `attempt-progressed-${progressCount}`, data);
    },
    used(usage, call) {
      // The usage names the backend and the model that answered.
      const data = { role: ROLE_OF_KIND[task.kind], model: ctx.model, ...usage };
      void emit("model.used", `model-used-${call}`, data);
    },
    heard(one) {
      log.info(one, "note heard");
      void emit("note.heard", `note-heard-${one.noteId}`, one);
    },
    budgetReached(why, level) {
      void emit("budget.reached", "budget-reached", { level, why });
    },
    async ended(handoff, figures) {
      if (!isOpen) return;
      isOpen = false;
      const { end, outcome, metrics } = handoff;
      log.info({ end, outcome, reason: handoff.reason, costUsd: metrics.costUsd }, "attempt ended");
      await emit("attempt.ended", "attempt-ended", { ...handoff, ...figures });
      const reason = handoff.reason === undefined ? "" : `: ${plainText(handoff.reason).slice(0, 1_000)}`;
      await toJobLog(`attempt ${attempt} ended ${end}, ${outcome}${reason}`);
    },
  };
}
