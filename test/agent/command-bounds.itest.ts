import { afterAll, beforeAll, expect, test } from "vitest";
import { processesOf } from "../support/leftovers.ts";
import { byCommand, TEMPLATE } from "./command-runtime.ts";
import { type AttemptLab, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { bash, DONE, steps, write, writeHandoff } from "./replay-steps.ts";

const CANARY = "canary-of-the-command-4711";

let lab: AttemptLab;
beforeAll(async () => {
  process.env["SWARM_CANARY_KEY"] = CANARY;
  lab = await openAttemptLab();
});
afterAll(async () => {
  delete process.env["SWARM_CANARY_KEY"];
  await lab[Symbol.asyncDispose]();
});

test("a program that makes the same tool call in three turns in a row is stuck", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: steps(write("src/b.txt", "b\n"), ...Array.from({ length: 9 }, () => bash("cat README.md"))),
    }),
  );
  expect(result).toMatchObject({ end: "stuck", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("cat README.md");
  expect(result.metrics.toolCalls).toBeLessThan(9);
});

test("the limit of turns holds for a program that does not know it", async () => {
  const { result, calls } = await lab.attempt(
    byCommand({
      steps: steps(...Array.from({ length: 9 }, (_, nth) => bash(`echo ${nth}`))),
      limits: { turns: 3 },
    }),
  );
  expect(result).toMatchObject({
    end: "limit-reached",
    outcome: "failed",
    reason: "the limit of 3 turns was reached",
    headCommit: null,
    metrics: { turns: 3 },
  });
  expect(calls).toBe(3);
});

const forEver = (argv: readonly string[]) => [
  "sh",
  "-c",
  'while :; do "$@" < "$0"; done',
  "{{promptFile}}",
  ...argv,
];

test("a program that retries a failing model for ever is killed", async () => {
  const { result, calls } = await lab.attempt(
    byCommand({ steps: [] }, { ...TEMPLATE, argv: forEver(TEMPLATE.argv) }),
  );
  expect(result).toMatchObject({
    end: "failed",
    reason: "the model failed 5 times in a row, last with 422",
    headCommit: null,
  });
  expect(calls).toBe(5);
});

test("a program that ignores the refusal of its calls is killed at its limit", async () => {
  const { result } = await lab.attempt(
    byCommand(
      { steps: steps(bash("ls"), bash("pwd"), bash("id")), limits: { turns: 2 } },
      { ...TEMPLATE, argv: forEver(TEMPLATE.argv) },
    ),
  );
  expect(result).toMatchObject({ end: "limit-reached", reason: "the limit of 2 turns was reached" });
});

test("a handoff from before the limit was reached counts", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: steps(write("src/b.txt", "b\n"), writeHandoff({ summary: "b." }), bash("ls")),
      limits: { turns: 2 },
    }),
  );
  expect(result).toMatchObject({ end: "submitted", outcome: "complete", summary: "b." });
});

test("a program that ends without a handoff and without a message is stuck", async () => {
  const { result } = await lab.attempt(
    byCommand({ steps: [] }, { ...TEMPLATE, argv: ["true"], continueArgv: undefined }),
  );
  expect(result).toMatchObject({
    end: "stuck",
    reason: "the agent ended without a handoff and without a message",
  });
});

test("a missing program fails the attempt with the name of the setting", async () => {
  const { result } = await lab.attempt(byCommand({ steps: [] }, { ...TEMPLATE, argv: ["no-such-agent"] }));
  expect(result).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  expect(result.reason).toMatch(/no-such-agent is not in the sandbox.*AGENT_COMMAND_DIR/);
});

test("a failed program fails the attempt with its exit code and its stderr", async () => {
  const { result } = await lab.attempt(
    byCommand(
      { steps: [] },
      { ...TEMPLATE, argv: ["sh", "-c", "echo changed > src/a.txt; echo no model >&2; exit 7"] },
    ),
  );
  expect(result).toMatchObject({ end: "failed", headCommit: null });
  expect(result.reason).toMatch(/sh failed \(exit 7\): no model/);
});

test("a refused model call fails the attempt with the message of the model", async () => {
  const { result } = await lab.attempt(byCommand({ steps: steps(write("src/b.txt", "b\n")) }));
  expect(result).toMatchObject({ end: "failed", headCommit: null });
  expect(result.reason).toContain("step 2 was asked for");
});

test("a program that is killed leaves no commit and no process", async () => {
  const { result, taken } = await lab.attempt(
    byCommand({
      steps: steps(
        write("src/b.txt", "b\n"),
        bash(`sh -c 'sleep 600; : ${CANARY}-killed' > /dev/null 2>&1 & kill -9 $PPID`),
      ),
    }),
  );
  expect(result).toMatchObject({ end: "failed", headCommit: null });
  expect(result.reason).toContain("killed by SIGKILL");
  expect(taken).toBeNull();
  expect(await processesOf(`${CANARY}-killed`)).toEqual([]);
});

test("processes that a program leaves running are killed before the checks run", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: [
        ...steps(
          write("src/b.txt", "b\n"),
          bash(`sh -c 'sleep 600; : ${CANARY}-server' > /dev/null 2>&1 & echo started`),
        ),
        DONE,
      ],
      checks: [
        {
          name: "alone",
          command: "! cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -q 'of-the-command-4711-serve[r]'",
          timeoutMs: 10_000,
        },
      ],
    }),
  );
  expect(result).toMatchObject({ end: "submitted", checks: [{ exitCode: 0 }] });
});

test("an attempt that is cancelled while its program runs leaves no process", async () => {
  const cancelling = new AbortController();
  const { result } = await lab.attempt(
    byCommand({
      // The program prints a call when the call has ended, so the second one is under way when the first is reported.
      steps: steps(bash("echo begun"), bash(`sh -c 'sleep 600; : ${CANARY}-off'`)),
      signal: cancelling.signal,
      onProgress: () => cancelling.abort("cancel"),
    }),
  );
  expect(result.end).toBe("cancelled");
  expect(await processesOf(`${CANARY}-off`)).toEqual([]);
});

test("the environment of a program has its own key and address and nothing of the host", async () => {
  const { result, transcript } = await lab.attempt(
    byCommand({
      steps: [...steps(bash("tr '\\0' '\\n' < /proc/$PPID/environ"), write("src/b.txt", "b\n")), DONE],
    }),
  );
  expect(result.end).toBe("submitted");
  const [printed = ""] = textsOf(transcript, "toolResult").map((text) => text.trim());
  const env = Object.fromEntries(printed.split("\n").map((line) => [line.split("=")[0], line]));
  expect(Object.keys(env).toSorted()).toEqual([
    "HOME",
    "LANG",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "PATH",
    "TMPDIR",
  ]);
  expect(env["OPENAI_API_KEY"]).toMatch(/=swt_/);
  expect(env["OPENAI_BASE_URL"]).toMatch(/=http:\/\/127\.0\.0\.1:\d+\/v1$/);
  expect(printed).not.toContain(CANARY);
  expect(printed).not.toContain("the-real-key");
});
