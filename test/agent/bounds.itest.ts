import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttemptLab, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { bash, steps, submit, write } from "./replay-steps.ts";

let lab: AttemptLab;
beforeAll(async () => {
  lab = await openAttemptLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("an agent that makes the same tool call in three turns in a row is stuck", async () => {
  const { result, calls } = await lab.attempt({
    steps: steps(write("src/b.txt", "b\n"), ...Array.from({ length: 9 }, () => bash("cat README.md"))),
  });
  expect(result).toMatchObject({
    end: "stuck",
    outcome: "failed",
    headCommit: null,
    metrics: { toolCalls: 4 },
  });
  expect(result.reason).toContain("cat README.md");
  expect(calls).toBe(4);
});

test("a model that repeats one answer for ever is stuck after three turns", async () => {
  const { result, calls } = await lab.attempt({
    steps: steps(submit()),
    injectFault: { kind: "loop", times: 1_000 },
  });
  expect(result).toMatchObject({ end: "stuck", outcome: "failed" });
  expect(calls).toBe(3);
});

test("the limit of turns ends an attempt that never submits", async () => {
  const { result, calls } = await lab.attempt({
    steps: steps(...Array.from({ length: 9 }, (_, nth) => bash(`echo ${nth}`)), submit()),
    limits: { turns: 5 },
  });
  expect(result).toMatchObject({
    end: "limit-reached",
    reason: "the limit of 5 turns was reached",
    metrics: { turns: 5, toolCalls: 5 },
  });
  expect(calls).toBe(5);
});

test("a submit in the last turn counts, but a failed check cannot be fixed after it", async () => {
  const lastTurn = { steps: steps(write("src/b.txt", "b\n"), submit()), limits: { turns: 2 } };
  expect((await lab.attempt(lastTurn)).result).toMatchObject({ end: "submitted", outcome: "complete" });
  const failing = { ...lastTurn, checks: [{ name: "false", command: "false", timeoutMs: 10_000 }] };
  const { result, calls } = await lab.attempt(failing);
  expect(result).toMatchObject({
    end: "limit-reached",
    outcome: "failed",
    reason: "the limit of 2 turns was reached",
    headCommit: null,
  });
  expect(calls).toBe(2);
});

test("the limit of tokens ends an attempt", async () => {
  const { result, calls } = await lab.attempt({
    steps: steps(...Array.from({ length: 9 }, (_, nth) => bash(`echo ${nth}`)), submit()),
    limits: { tokens: 600 },
  });
  expect(result).toMatchObject({ end: "limit-reached", reason: "the limit of 600 tokens was reached" });
  expect(calls).toBeLessThan(4);
});

test("an agent that stops without `submit` is reminded twice, and is stuck then", async () => {
  const { result, transcript } = await lab.attempt({ steps: [{ say: "I think I am done." }] });
  expect(result).toMatchObject({
    end: "stuck",
    reason: "the agent stopped without calling `submit`, after 2 reminders",
  });
  const reminders = textsOf(transcript, "user").filter((text) => text.includes("call `submit`"));
  expect(reminders).toHaveLength(2);
});

test("`submit` ends the run, even beside other calls in the same turn", async () => {
  const { result, calls } = await lab.attempt({
    steps: [{ calls: [submit("First."), write("src/b.txt", "b\n")] }, { calls: [submit("Second.")] }],
  });
  expect(result).toMatchObject({ end: "submitted", summary: "First.", filesChanged: ["src/b.txt"] });
  expect(calls).toBe(1);
});

test("an incomplete tool call is not executed, and the agent continues", async () => {
  const { result, transcript } = await lab.attempt({
    steps: steps(bash("ls; echo end of list"), write("src/b.txt", "b\n"), submit()),
    injectFault: { kind: "partial-tool-call", times: 2 },
  });
  const answers = textsOf(transcript, "toolResult");
  expect(answers.filter((text) => text.includes("was not executed"))).toHaveLength(2);
  // The incomplete call would have written a.txt.
  expect(answers.find((text) => text.includes("end of list"))).not.toContain("a.txt");
  expect(result).toMatchObject({ end: "submitted", filesChanged: ["src/b.txt"] });
});

test("unknown tools and invalid arguments are refused, and the agent continues", async () => {
  const { result, transcript } = await lab.attempt({
    steps: steps(
      { tool: "sudo", args: { command: "touch src/sudo.txt" } },
      { tool: "write", args: { path: { toString: 1 }, content: "x" } },
      { tool: "bash", args: { cmd: "touch src/cmd.txt" } },
      { tool: "submit", args: { summary: "x".repeat(10_001) } },
      write("src/b.txt", "b\n"),
      submit(),
    ),
  });
  const [sudo, wrongType, misnamed, tooLong] = textsOf(transcript, "toolResult");
  expect(sudo).toContain("Tool sudo not found");
  expect(wrongType).toMatch(/path/);
  expect(misnamed).toMatch(/command/);
  expect(tooLong).toMatch(/10000|10_000|too_big/i);
  expect(result).toMatchObject({ end: "submitted", filesChanged: ["src/b.txt"] });
});

test("a refused model call fails the attempt with the message of the model", async () => {
  const { result } = await lab.attempt({ steps: steps(write("src/b.txt", "b\n")) });
  expect(result).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("step 2 was asked for");
});
