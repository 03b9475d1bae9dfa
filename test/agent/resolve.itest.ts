import { afterAll, beforeAll, expect, test } from "vitest";
import type { Task } from "@agentswarm/contracts";
import { git } from "../support/string-kit.ts";
import { type AttemptLab, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { bash, steps, submit, write } from "./replay-steps.ts";

let lab: AttemptLab;
let task: Partial<Task>;

beforeAll(async () => {
  lab = await openAttemptLab();
  const baseCommit = git(lab.work, "rev-parse", "main");
  git(lab.work, "checkout", "-q", "-b", "attempt");
  const headCommit = await lab.commit({
    "src/a.txt": "one\nTWO by the attempt\nthree\n",
    "src/new.txt": "n\n",
  });
  git(lab.work, "checkout", "-q", "main");
  await lab.commit({ "src/a.txt": "one\ntwo, landed\nthree\n" });
  task = {
    kind: "resolve",
    resolve: {
      taskId: "task-0",
      attempt: 1,
      ref: "refs/swarm/task-0/1",
      baseCommit,
      headCommit,
      paths: ["src/a.txt"],
      ourIntent: "Shout",
      theirIntent: "Say that it landed",
    },
  };
});
afterAll(() => lab[Symbol.asyncDispose]());

test("the work tree of a resolve task has conflict markers, and its result is one commit without them", async () => {
  const { result, taken, transcript } = await lab.attempt({
    task,
    steps: steps(
      bash("cat src/a.txt"),
      write("src/a.txt", "one\nTWO, landed\nthree\n"),
      submit("Both hold."),
    ),
  });
  const [conflicting] = textsOf(transcript, "toolResult");
  expect(conflicting).toMatch(/<{7} HEAD\ntwo, landed\n={7}\nTWO by the attempt\n>{7} /);
  const head = result.headCommit ?? "";
  // The files of the attempt without a conflict are part of the result.
  expect(taken).toEqual({ kind: "accepted", commits: [head], files: ["src/a.txt", "src/new.txt"] });
  expect(lab.inStore("show", `${head}:src/a.txt`)).toBe("one\nTWO, landed\nthree");
  expect(lab.inStore("rev-parse", `${head}^@`)).toBe(git(lab.work, "rev-parse", "main"));
});

test("markers that are left are returned to the agent, which fails if it keeps them", async () => {
  const fixed = await lab.attempt({
    task,
    steps: steps(submit("Nothing to do."), write("src/a.txt", "one\nboth\nthree\n"), submit("Now.")),
  });
  const feedback = textsOf(fixed.transcript, "user").at(-1);
  expect(feedback).toContain("Conflict markers are left in: src/a.txt");
  expect(fixed.result).toMatchObject({ end: "submitted", outcome: "complete" });

  const { result, taken } = await lab.attempt({
    task,
    steps: steps(...Array.from({ length: 4 }, (_, nth) => submit(`Try ${nth}`))),
  });
  expect(result).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("Conflict markers are left in: src/a.txt");
  expect(taken).toBeNull();
});
