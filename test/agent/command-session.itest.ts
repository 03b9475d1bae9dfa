import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab, steps, write, type Lab } from "./attempt-lab.ts";
import { byCommand, handOver, TEMPLATE } from "./command-lab.ts";

const STATE = {
  name: "state",
  command: "grep -q green state.txt || { cat state.txt; exit 3; }",
  timeoutMs: 10_000,
};
const done = { say: "Done." };

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

const promptsOf = (transcript: readonly { role: string; text: string }[]) =>
  transcript.filter((entry) => entry.role === "user").map((entry) => entry.text);

test("what a program hands over in handoff.json is its claim, and its changes are one commit of ours", async () => {
  const { result, taken, calls, transcript } = await lab.attempt(
    byCommand({
      steps: [
        ...steps(
          write("state.txt", "green\n"),
          handOver({ outcome: "partial", summary: "Made it green.", did: ["a"], concerns: ["b"] }),
        ),
        done,
      ],
      checks: [STATE],
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
  const [prompt = ""] = promptsOf(transcript);
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

test("where it writes no handoff.json its last message is the summary", async () => {
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

test("a handoff.json that cannot be read is reported as a concern", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: [...steps(write("src/b.txt", "b\n"), write("../handoff/handoff.json", "{half")), done],
    }),
  );
  expect(result).toMatchObject({ end: "submitted", outcome: "complete", summary: "Done." });
  expect(result.concerns[0]).toContain("handoff.json is not JSON");
});

test("a blocked task is reported with the agent's reason", async () => {
  const { result } = await lab.attempt(
    byCommand({ steps: [...steps(handOver({ outcome: "blocked", summary: "No key." })), done] }),
  );
  expect(result).toMatchObject({ end: "submitted", outcome: "blocked", reason: "No key.", headCommit: null });
});

test("a failing check is returned to the same session, which fixes it", async () => {
  const first = steps(write("state.txt", "orange\n"), handOver({ summary: "First." }));
  const { result, taken, transcript, calls } = await lab.attempt(
    byCommand({
      steps: [...first, done],
      // Had it forgotten what it did, the first of these would be asked for.
      afterFeedback: [...first, ...steps(write("state.txt", "green\n")), { say: "Mended." }],
      checks: [STATE],
    }),
  );
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Mended.",
    checks: [{ exitCode: 0 }],
    metrics: { turns: 5, toolCalls: 3 },
  });
  expect(calls).toBe(5);
  expect(taken?.kind).toBe("accepted");
  const [, feedback = ""] = promptsOf(transcript);
  expect(feedback).toContain(`\`${STATE.command}\` failed with exit code 3:\n\norange`);
  expect(feedback).not.toContain("# Do the task");
});

test("one that cannot go on with a session is started anew and told everything", async () => {
  const { continueArgv: _, ...template } = TEMPLATE;
  const { result, transcript } = await lab.attempt(
    byCommand(
      {
        steps: [...steps(write("state.txt", "orange\n")), done],
        afterFeedback: [...steps(write("state.txt", "green\n")), { say: "Green." }],
        checks: [STATE],
      },
      { ...template, argv: [...template.argv, "--prompt-file", "{{promptFile}}"], stdin: "" },
    ),
  );
  expect(result).toMatchObject({ end: "submitted", summary: "Green.", checks: [{ exitCode: 0 }] });
  const [, feedback = ""] = promptsOf(transcript);
  for (const part of ["Swarm-Key:", "# Do the task", "orange", "/handoff/handoff.json"])
    expect(feedback).toContain(part);
});

test("an agent that claims done while its checks stay red fails, and nothing of it is handed over", async () => {
  const { result, taken, transcript } = await lab.attempt(
    byCommand({ steps: [...steps(write("state.txt", "orange\n")), done], checks: [STATE] }),
  );
  expect(result).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("orange");
  expect(taken).toBeNull();
  expect(promptsOf(transcript)).toHaveLength(4);
});

test("doing the same in every run does not count as going in circles", async () => {
  const script = `echo b >> src/b.txt; echo '{"type":"tool","name":"append"}'; echo '{"type":"text","text":"Done."}'`;
  const { result } = await lab.attempt(
    byCommand(
      { steps: [], checks: [STATE] },
      { ...TEMPLATE, argv: ["sh", "-c", script], continueArgv: undefined },
    ),
  );
  expect(result).toMatchObject({ end: "failed", checks: [{ exitCode: 3 }], metrics: { toolCalls: 4 } });
});
