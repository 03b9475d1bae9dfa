import { expect, test } from "vitest";
import { DEFAULT_REPO, type MergeRequest } from "@agentswarm/contracts";
import { whyNotApproved } from "../../services/merger/src/find-holds.ts";
import { makeHandoff } from "../support/make-handoff.ts";

/**
 * A click that comes late: services/planner/src/ledger/person-actions.test.ts; one that names another commit:
 * services/api/src/routes/tasks.itest.ts. Here the last place, where an approval would have its effect.
 */
const [seen, unseen] = ["a".repeat(40), "b".repeat(40)];
const request = (more: Partial<MergeRequest>): MergeRequest => ({
  taskId: "task",
  featureId: "feature",
  repoId: DEFAULT_REPO,
  attempt: 2,
  ref: "refs/swarm/task/2",
  baseCommit: "c".repeat(40),
  headCommit: unseen,
  title: "Task",
  handoff: makeHandoff({ taskId: "task", attempt: 2, headCommit: unseen }),
  ...more,
});

test("the merger lands no commit by the approval of another", () => {
  const why = whyNotApproved(request({ approvedBy: "ada", approvedHead: seen }));
  expect(why).toBe(`the approval by ada is for commit ${seen}, but commit ${unseen} would land`);
});

test("an approval that names no commit approves none", () => {
  expect(whyNotApproved(request({ approvedBy: "ada" }))).toContain("is for commit (none)");
});

test("an approval holds for its own commit", () => {
  expect(whyNotApproved(request({ approvedBy: "ada", approvedHead: unseen }))).toBeNull();
  expect(whyNotApproved(request({}))).toBeNull();
});
