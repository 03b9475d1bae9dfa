import { afterAll, beforeAll, expect, test } from "vitest";
import { byCommand, TEMPLATE } from "./command-runtime.ts";
import { type AttemptLab, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { DONE, steps, write, writeHandoff } from "./replay-steps.ts";
import { STATE_CHECK } from "./state-check.ts";

let lab: AttemptLab;
beforeAll(async () => {
  lab = await openAttemptLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("handoff.json is the program's claim, and its changes become one commit", async () => {
  const { result, taken, calls, transcript } = await lab.attempt(
    byCommand({
      steps: [
        ...steps(
          write("state.txt", "green\n"),
          writeHandoff({ outcome: "partial", summary: "Made it green.", did: ["a"], concerns: ["b"] }),
        ),
        DONE,
      ],
      checks: [STATE_CHECK],
    }),
  );
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "partial",
    summary: "Made it green.",
    did: ["a"],
    concerns: ["b"],
    filesChanged: ["state.txt"],
    checks: [{ name: "state", exitCode: 0 }],
    metrics: { turns: 3, toolCalls: 2, linesAdded: 1, linesRemoved: 1, filesModified: 1 },
  });
  expect(calls).toBe(3);
  expect(taken).toEqual({ kind: "accepted", commits: [result.headCommit], files: ["state.txt"] });
  const [prompt = ""] = textsOf(transcript, "user");
  for (const part of ["Swarm-Key: feature/task/work", "# Do the task", "/handoff/handoff.json"])
    expect(prompt).toContain(part);
  expect(transcript.map((entry) => entry.role)).toEqual([
    "user",
    "assistant",
    "toolResult",
    "assistant",
    "toolResult",
    "assistant",
  ]);
});

test("without handoff.json the last message is the summary", async () => {
  const { result } = await lab.attempt(
    byCommand({ steps: [...steps(write("src/b.txt", "b\n")), { say: "There is a b now." }] }),
  );
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "There is a b now.",
    concerns: [],
  });
});

test("an invalid handoff.json is reported as a concern", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: [...steps(write("src/b.txt", "b\n"), write("../handoff/handoff.json", "{half")), DONE],
    }),
  );
  expect(result).toMatchObject({ end: "submitted", outcome: "complete", summary: "Done." });
  expect(result.concerns[0]).toContain("handoff.json is not JSON");
});

test("a blocked task ends as blocked with the agent's reason", async () => {
  const { result } = await lab.attempt(
    byCommand({ steps: [...steps(writeHandoff({ outcome: "blocked", summary: "No key." })), DONE] }),
  );
  expect(result).toMatchObject({ end: "submitted", outcome: "blocked", reason: "No key.", headCommit: null });
});

test("a failed check is returned to the same session, which fixes it", async () => {
  const first = steps(write("state.txt", "orange\n"), writeHandoff({ summary: "First." }));
  const { result, taken, transcript, calls } = await lab.attempt(
    byCommand({
      steps: [...first, DONE],
      // A new session would ask for the first of these steps.
      afterFeedback: [...first, ...steps(write("state.txt", "green\n")), { say: "Fixed." }],
      checks: [STATE_CHECK],
    }),
  );
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Fixed.",
    checks: [{ exitCode: 0 }],
    metrics: { turns: 5, toolCalls: 3 },
  });
  expect(calls).toBe(5);
  expect(taken?.kind).toBe("accepted");
  const [, feedback = ""] = textsOf(transcript, "user");
  expect(feedback).toContain(`\`${STATE_CHECK.command}\` failed with exit code 3:\n\norange`);
  expect(feedback).not.toContain("# Do the task");
});

test("a program that cannot continue a session gets the whole task again", async () => {
  const { continueArgv: _, ...template } = TEMPLATE;
  const { result, transcript } = await lab.attempt(
    byCommand(
      {
        steps: [...steps(write("state.txt", "orange\n")), DONE],
        afterFeedback: [...steps(write("state.txt", "green\n")), { say: "Green." }],
        checks: [STATE_CHECK],
      },
      { ...template, argv: [...template.argv, "--prompt-file", "{{promptFile}}"], stdin: "" },
    ),
  );
  expect(result).toMatchObject({ end: "submitted", summary: "Green.", checks: [{ exitCode: 0 }] });
  const [, feedback = ""] = textsOf(transcript, "user");
  for (const part of ["Swarm-Key:", "# Do the task", "orange", "/handoff/handoff.json"])
    expect(feedback).toContain(part);
});

test("an agent whose checks still fail after three fix rounds fails without a commit", async () => {
  const { result, taken, transcript } = await lab.attempt(
    byCommand({ steps: [...steps(write("state.txt", "orange\n")), DONE], checks: [STATE_CHECK] }),
  );
  expect(result).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("orange");
  expect(taken).toBeNull();
  expect(textsOf(transcript, "user")).toHaveLength(4);
});

test("the same call in every run is not a loop", async () => {
  const script = `echo b >> src/b.txt; echo '{"type":"tool","name":"append"}'; echo '{"type":"text","text":"Done."}'`;
  const { result } = await lab.attempt(
    byCommand(
      { steps: [], checks: [STATE_CHECK] },
      { ...TEMPLATE, argv: ["sh", "-c", script], continueArgv: undefined },
    ),
  );
  expect(result).toMatchObject({ end: "failed", checks: [{ exitCode: 3 }], metrics: { toolCalls: 4 } });
});
