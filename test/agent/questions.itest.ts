import { afterAll, beforeAll, expect, test } from "vitest";
import { byCommand } from "./command-runtime.ts";
import { type AttemptLab, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { ask, bash, DONE, steps, submit, write, writeHandoff, writeQuestion } from "./replay-steps.ts";
import { STATE_CHECK } from "./state-check.ts";

let lab: AttemptLab;
beforeAll(async () => {
  lab = await openAttemptLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("an answered question is the result of the tool, and the agent goes on", async () => {
  const asked: unknown[] = [];
  const { result, transcript } = await lab.attempt({
    steps: steps(
      ask("Which port?", { options: ["80", "8080"], default: "8080", why: "It is public." }),
      write("port.txt", "80\n"),
      submit("Done."),
    ),
    answer(question) {
      asked.push(question);
      return "ada answered: 80";
    },
  });
  expect(asked).toEqual([
    {
      ask: "Which port?\n\nWhy it matters: It is public.",
      options: [
        { id: "80", label: "80" },
        { id: "8080", label: "8080" },
      ],
      default: "8080",
    },
  ]);
  expect(textsOf(transcript, "toolResult")[0]).toBe("ada answered: 80");
  expect(result).toMatchObject({ end: "submitted", outcome: "complete", filesChanged: ["port.txt"] });
});

test("a question that nobody answers parks the attempt with its unchecked work, and the next goes on upon it", async () => {
  const base = lab.commitOfMain();
  const parked = await lab.attempt({
    steps: steps(
      write("state.txt", "orange\n"),
      write("src/new.txt", "new\n"),
      ask("Which colour?"),
      submit("Never."),
    ),
    checks: [STATE_CHECK],
  });
  expect(parked.result).toMatchObject({
    end: "parked",
    outcome: "blocked",
    reason: "waits for an answer: Which colour?",
    checks: [],
  });
  expect(parked.taken).toMatchObject({ kind: "accepted", files: ["src/new.txt", "state.txt"] });

  // The trunk moves on while the question is open.
  await lab.commit({ "other.txt": "other\n" });
  const { result, taken, transcript } = await lab.attempt({
    steps: steps(
      bash("cat src/new.txt other.txt state.txt"),
      write("state.txt", "green\n"),
      submit("Green."),
    ),
    checks: [STATE_CHECK],
    assignment: {
      upon: { attempt: parked.attempt, baseCommit: base, headCommit: parked.result.headCommit ?? "" },
      answers: [
        { decisionId: "d-1", question: "Which colour?", answer: "green", by: "ada" },
        { decisionId: "d-2", question: "Which size?", answer: "small", by: null },
      ],
    },
  });
  const [prompt] = textsOf(transcript, "user");
  expect(prompt).toContain("An earlier attempt of this task began the work");
  expect(prompt).toContain("Question: Which colour?\nAnswer of ada: green");
  expect(prompt).toContain("Question: Which size?\nNobody answered in time, so this default holds: small");
  expect(textsOf(transcript, "toolResult")[0]).toContain("new\nother\norange\n");
  expect(result).toMatchObject({ end: "submitted", outcome: "complete" });
  // One commit on the newest trunk, with the work of both.
  expect(taken).toMatchObject({ kind: "accepted", files: ["src/new.txt", "state.txt"] });
  expect(lab.inStore("rev-parse", `${result.headCommit ?? ""}~1`)).toBe(lab.commitOfMain());
});

test("parked work that conflicts with the newest trunk has markers, which the prompt names", async () => {
  const base = lab.commitOfMain();
  const parked = await lab.attempt({ steps: steps(write("src/a.txt", "mine\n"), ask("And now?")) });
  await lab.commit({ "src/a.txt": "theirs\n" });
  const { transcript, result } = await lab.attempt({
    steps: steps(bash("cat src/a.txt"), write("src/a.txt", "both\n"), submit("Both.")),
    assignment: {
      upon: { attempt: parked.attempt, baseCommit: base, headCommit: parked.result.headCommit ?? "" },
    },
  });
  expect(textsOf(transcript, "user")[0]).toContain("These files contain conflict markers:\n- src/a.txt");
  expect(textsOf(transcript, "toolResult")[0]).toContain("<<<<<<<");
  expect(result).toMatchObject({ end: "submitted", outcome: "complete", filesChanged: ["src/a.txt"] });
});

test("after three questions an attempt must decide by itself", async () => {
  const { result, transcript } = await lab.attempt({
    steps: steps(ask("1?"), ask("2?"), ask("3?"), ask("4?"), write("a.txt", "a\n"), submit("Done.")),
    answer: ({ ask: question }) => `answer to ${question}`,
  });
  const results = textsOf(transcript, "toolResult");
  expect(results.slice(0, 3)).toEqual(["answer to 1?", "answer to 2?", "answer to 3?"]);
  expect(results[3]).toContain("you have asked 3 questions, which is the limit. Decide by yourself");
  expect(result).toMatchObject({ end: "submitted", outcome: "complete" });
});

test("a program asks by question.json, and the answer is its next prompt", async () => {
  const asking = steps(writeQuestion({ question: "Which port?", default: "80" }));
  const { result, transcript } = await lab.attempt(
    byCommand({
      steps: [...asking, DONE],
      afterFeedback: [
        ...asking,
        ...steps(write("port.txt", "443\n"), writeHandoff({ summary: "Done." })),
        DONE,
      ],
      answer: () => "ada answered: 443",
    }),
  );
  expect(textsOf(transcript, "user").at(-1)).toContain("You asked: Which port?\n\nada answered: 443");
  expect(result).toMatchObject({ end: "submitted", summary: "Done.", filesChanged: ["port.txt"] });
});

test("a program whose question nobody answers is parked with its work", async () => {
  const { result, taken } = await lab.attempt(
    byCommand({ steps: [...steps(write("a.txt", "a\n"), writeQuestion({ question: "So?" })), DONE] }),
  );
  expect(result).toMatchObject({ end: "parked", outcome: "blocked" });
  expect(taken).toMatchObject({ kind: "accepted", files: ["a.txt"] });
});
