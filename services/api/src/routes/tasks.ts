import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { REST, type TaskStatus } from "@agentswarm/contracts";
import { answerDecision } from "../answer-decision.ts";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { notFound, Problem } from "../problem.ts";
import { readIfMatch } from "../read-if-match.ts";
import { serveRoute } from "../serve-route.ts";

/** A task that has landed can be taken back with its feature only. */
const CANCELLABLE: readonly TaskStatus[] = [
  "planned",
  "ready",
  "sent",
  "running",
  "landing",
  "held",
  "failed",
  "blocked",
];

export function taskRoutes(app: App, ctx: ApiContext): void {
  const { model, sender, transcriptsDir } = ctx;
  const read = async (id: string) => (await model.task(id)) ?? notFound("task", id);
  /** The id of a task in one of these states; throws Problem 409 for another. */
  const inState = async (id: string, ...states: TaskStatus[]) => {
    const { status } = await read(id);
    if (states.includes(status)) return { id, url: `/v1/tasks/${id}` };
    throw new Problem(409, "wrong-state", `the task is ${status}; this needs ${states.join(" or ")}`);
  };

  serveRoute(app, REST.getTask, ({ params: { id } }) => read(id));

  serveRoute(app, REST.getTranscript, async ({ params: { id }, query }) => {
    const { attempts } = await read(id);
    const attempt = query.attempt ?? attempts.at(-1)?.attempt ?? 1;
    const file = join(transcriptsDir, id, `${attempt}.jsonl`);
    const exists = await stat(file).then(
      () => true,
      () => false,
    );
    return exists ? createReadStream(file) : notFound("transcript of attempt", `${attempt} of ${id}`);
  });

  serveRoute(app, REST.retryTask, async ({ params, asker }) => {
    const accepted = await inState(params.id, "failed", "blocked", "cancelled");
    await sender.send("plan", { kind: "retry", taskId: accepted.id, ...asker });
    return accepted;
  });

  serveRoute(app, REST.cancelTask, async ({ params: { id }, body, asker }) => {
    const { supersededBy } = await read(id);
    // The planner cancels what took the place of a task that conflicted.
    const accepted =
      supersededBy === null ? await inState(id, ...CANCELLABLE) : { id, url: `/v1/tasks/${supersededBy}` };
    await sender.send("plan", { kind: "cancel-task", taskId: id, why: body?.why, ...asker });
    return accepted;
  });

  for (const [route, decision] of [
    [REST.approveTask, "approve"],
    [REST.refuseTask, "refuse"],
  ] as const) {
    serveRoute(app, route, async ({ params, headers, body, person, asker }) => {
      const accepted = await inState(params.id, "held");
      const head = bindDecision((await read(params.id)).heldCommit, body?.head);
      const reason = body?.reason || undefined;
      const seen = readIfMatch(headers["if-match"]) ?? head;
      const asked = await model.landingDecision(params.id, head);
      if (asked !== null) {
        const answer = { option: decision, text: reason, head: seen, idempotencyKey: randomUUID() };
        await answerDecision(ctx, asked, { person, ...answer });
        return accepted;
      }
      // What a planner of version 0.1 held has no decision yet.
      if (seen !== head) throw new Problem(412, "head-changed", `commit ${head} is held, not ${seen}`);
      await sender.send("plan", { kind: "approve", taskId: accepted.id, decision, reason, head, ...asker });
      return accepted;
    });
  }
}

/**
 * The commit that a decision is about: a decision holds for one attempt's commit and for no later one. The planner
 * compares it again, for the attempt may change until then.
 */
function bindDecision(held: string | null, named: string | undefined): string {
  if (held === null)
    throw new Problem(
      409,
      "attempt-unknown",
      "no commit of the task is held: it waits for an answer (`swarm inbox`)",
    );
  if (named === undefined || named === held) return held;
  const detail = `the attempt has changed: commit ${held} is held, not ${named}; look at it and decide again`;
  throw new Problem(409, "attempt-changed", detail);
}
