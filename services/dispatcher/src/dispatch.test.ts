import { Fault, type TaskMessage } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { makeHandoff } from "../../../test/support/make-handoff.ts";
import { makeTask } from "../../../test/support/make-task.ts";
import type { DispatcherContext } from "./context.ts";
import { dispatch } from "./dispatch.ts";

const COMMIT = "c".repeat(40);
const message: TaskMessage = { round: 1, task: makeTask() };
const approved = {
  by: "ada",
  attempt: 1,
  baseCommit: COMMIT,
  head: COMMIT,
  handoff: makeHandoff({ taskId: "a", attempt: 1, headCommit: COMMIT }),
};

/** A dispatcher that knows of a pause and of nothing else: whatever goes further fails the test. */
function paused(): DispatcherContext {
  return {
    pauses: { requireNone: () => Promise.reject(new Fault("work.paused", "the swarm is paused by ada")) },
    rounds: { get: async () => null },
    repo: () => ({ finished: { find: async () => null } }),
  } as unknown as DispatcherContext;
}

test.each([
  ["an attempt", message],
  ["an approved attempt", { ...message, approved }],
])("%s that a paused queue had given out already does not begin: its job waits", async (_what, body) => {
  const job = { signal: new AbortController().signal } as Parameters<typeof dispatch>[2];
  await expect(dispatch(paused(), body, job)).rejects.toMatchObject({ code: "work.paused", retryable: true });
});
