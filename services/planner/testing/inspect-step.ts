import { Fault } from "@agentswarm/contracts";
import { findRecord, standIn } from "../src/ledger/find-tasks.ts";
import { hasEnded, type Ledger } from "../src/ledger/ledger.ts";
import { heldCommit, isOpen, isUnderWay } from "../src/ledger/task-record.ts";

/** Throws with the ledger's tasks when something that always holds does not. */
export function must(ledger: Ledger, holds: boolean, what: string): void {
  if (holds) return;
  const shown = ledger.tasks.map(({ task, status, round }) => `${task.key} ${status} ${round}`).join(", ");
  throw new Fault("internal", `broken: ${what} [${ledger.status}: ${shown}]`);
}

/** What holds for every step of a ledger, whatever led to it. */
export function inspectStep(before: Ledger, after: Ledger): void {
  for (const record of after.tasks) {
    const { task, status, round } = record;
    const old = findRecord(before, task.id);
    const stays = status === "landed" && record.commit === old?.commit;
    must(after, old?.status !== "landed" || stays, "what landed stays landed, by that commit");
    must(after, round >= (old?.round ?? 0), "rounds only grow");
    must(after, record.attemptsUsed <= task.attemptBudget, "the budget holds");
    if (task.kind === "resolve") {
      const parent = findRecord(after, task.parentId ?? "");
      must(after, parent !== undefined && parent.task.kind !== "resolve", "a resolve is never of a resolve");
    }
    const possible = task.dependsOn.every((id) => standIn(after, id)?.status === "landed");
    const heldBack = possible && (after.outOfBudget !== null || after.paused !== null);
    must(
      after,
      status !== "ready" || heldBack,
      `${task.key} is ready while only budget or pause hold it back`,
    );
    const asked = record.decisions.filter(({ state }) => state === "open");
    must(after, asked.length <= 1, "at most one question about a task is open");
    must(after, status !== "held" || asked[0] !== undefined, "people are asked about what is held");
    const mayBeAsked = status === "held" || (status === "sent" && asked[0]?.kind === "question");
    must(
      after,
      asked[0] === undefined || mayBeAsked,
      "people are asked about what is held, or by an agent at work",
    );
    must(
      after,
      (asked[0]?.head ?? null) === heldCommit(record),
      "they are asked about the commit that is held",
    );
    if (round === (old?.round ?? 0)) continue;
    must(after, possible, `${task.key} is sent after what it depends on`);
    must(after, !hasEnded(after), "nothing of an ended feature is sent");
    // An approved attempt needs no more model calls.
    must(
      after,
      after.outOfBudget === null || record.approvedBy !== null || task.kind === "revert",
      "nothing is sent while a budget is used up",
    );
    must(after, after.paused === null || record.approvedBy !== null, "nothing is sent while it is paused");
  }
  const resolves = after.tasks.filter((record) => record.task.kind === "resolve");
  const parents = new Set(resolves.map((record) => record.task.resolve?.taskId));
  must(after, parents.size === resolves.length, "a task has one resolve at most");
  if (hasEnded(after)) return must(after, !after.tasks.some(isOpen), "an ended feature has nothing open");
  const waits = after.tasks.some(isOpen) && !after.tasks.some(isUnderWay);
  const reason = after.status === "held" || after.outOfBudget !== null || after.paused !== null;
  must(after, !waits || reason, "tasks that wait, wait for a task under way, a person, a budget or a pause");
}
