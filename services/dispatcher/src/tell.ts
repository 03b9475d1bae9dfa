import {
  plainText,
  ROLE_OF_KIND,
  type BudgetLevel,
  type EventData,
  type EventToSend,
  type Handoff,
  type Progress,
  type Task,
} from "@agentswarm/contracts";
import type { Usage } from "@agentswarm/llm";
import type { JobContext } from "@agentswarm/queue";
import type { SandboxFigures } from "@agentswarm/sandbox";
import type { Workshop } from "./workshop.ts";

/** What is told about one attempt, as events with ids of their own and as lines of the job's log. */
export interface Teller {
  started(data: { provider: string; sandboxId: string; baseCommit: string; round: number }): Promise<void>;
  progressed(progress: Progress): void;
  used(usage: Usage, call: number): void;
  budgetReached(why: string, level: BudgetLevel): void;
  ended(handoff: Handoff, figures?: AttemptFigures): Promise<void>;
}

/** What an attempt took beside its model. */
export interface AttemptFigures {
  readonly sandbox: SandboxFigures & { readonly warm: boolean };
  /** From the task being sent until its agent, fully loaded, had it. */
  readonly sentToReadyMs: number | null;
  /** From the task being sent until its agent first asked the model. */
  readonly sentToWorkMs: number | null;
}

type AttemptEvent =
  | "attempt.started"
  | "attempt.progressed"
  | "attempt.ended"
  | "model.used"
  | "budget.reached";

export function createTeller(shop: Workshop, task: Task, attempt: number, context: JobContext): Teller {
  const about = { repoId: task.repoId, featureId: task.featureId, taskId: task.id, attempt };
  const event = <T extends AttemptEvent>(type: T, id: string, data: EventData<T>) =>
    // The parameters belong together by T, which the compiler does not see once they are one object.
    shop.sender.event({ id: `${id}-${task.id}-${attempt}`, type, ...about, data } as EventToSend);
  // A sign that gets lost harms nobody; the attempt goes on while Redis is away.
  const quietly = (promise: Promise<unknown>) => {
    promise.catch((error: unknown) => shop.log.warn({ err: error, ...about }, "something was not told"));
  };
  let signs = 0;
  return {
    async started(data) {
      await event("attempt.started", "attempt-started", data);
      await context.log(`attempt ${attempt} in sandbox ${data.sandboxId} on ${data.baseCommit.slice(0, 10)}`);
    },
    progressed(progress) {
      signs += 1;
      const text = plainText(progress.text ?? "");
      const tool = plainText(progress.tool ?? "");
      const data = {
        turn: progress.turn,
        ...(tool === "" ? {} : { tool }),
        ...(text === "" ? {} : { text }),
      };
      quietly(context.log(`turn ${progress.turn} ${tool} ${text}`.trimEnd()));
      quietly(event("attempt.progressed", `attempt-progressed-${signs}`, data));
    },
    used(usage, call) {
      const data = { role: ROLE_OF_KIND[task.kind], model: shop.model, ...usage };
      quietly(event("model.used", `model-used-${call}`, data));
    },
    budgetReached(why, level) {
      quietly(event("budget.reached", "budget-reached", { level, why }));
    },
    async ended(handoff, figures) {
      await event("attempt.ended", "attempt-ended", { ...handoff, ...figures });
      const reason = handoff.reason === undefined ? "" : `: ${plainText(handoff.reason).slice(0, 1_000)}`;
      await context.log(`attempt ${attempt} ended ${handoff.end}, ${handoff.outcome}${reason}`);
    },
  };
}
