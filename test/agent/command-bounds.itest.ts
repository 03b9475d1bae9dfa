import { afterAll, beforeAll, expect, test } from "vitest";
import { processesOf } from "../support/leftovers.ts";
import { bash, openLab, steps, write, type Lab } from "./attempt-lab.ts";
import { byCommand, handOver, TEMPLATE } from "./command-lab.ts";

const CANARY = "canary-of-the-command-4711";
const done = { say: "Done." };

let lab: Lab;
beforeAll(async () => {
  process.env["SWARM_CANARY_KEY"] = CANARY;
  lab = await openLab();
});
afterAll(async () => {
  delete process.env["SWARM_CANARY_KEY"];
  await lab[Symbol.asyncDispose]();
});

test("the same tool call three rounds in a row is stuck", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: steps(write("src/b.txt", "b\n"), ...Array.from({ length: 9 }, () => bash("cat README.md"))),
    }),
  );
  expect(result).toMatchObject({ end: "stuck", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("cat README.md");
  expect(result.metrics.toolCalls).toBeLessThan(9);
});

test("the limit of turns holds for a program that knows nothing of it", async () => {
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

test("a program that asks a failing model for ever is ended", async () => {
  const { result, calls } = await lab.attempt(
    byCommand({ steps: [] }, { ...TEMPLATE, argv: forEver(TEMPLATE.argv) }),
  );
  expect(result).toMatchObject({
    end: "failed",
    reason: "the model failed 5 times in a row, last with 404",
    headCommit: null,
  });
  expect(calls).toBe(5);
});

test("a program that does not take no for an answer is ended at its limit", async () => {
  const { result } = await lab.attempt(
    byCommand(
      { steps: steps(bash("ls"), bash("pwd"), bash("id")), limits: { turns: 2 } },
      { ...TEMPLATE, argv: forEver(TEMPLATE.argv) },
    ),
  );
  expect(result).toMatchObject({ end: "limit-reached", reason: "the limit of 2 turns was reached" });
});

test("what was handed over before the limit was reached counts", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: steps(write("src/b.txt", "b\n"), handOver({ summary: "b." }), bash("ls")),
      limits: { turns: 2 },
    }),
  );
  expect(result).toMatchObject({ end: "submitted", outcome: "complete", summary: "b." });
});

test("a program that ends without a handoff and without a word is stuck", async () => {
  const { result } = await lab.attempt(
    byCommand({ steps: [] }, { ...TEMPLATE, argv: ["true"], continueArgv: undefined }),
  );
  expect(result).toMatchObject({
    end: "stuck",
    reason: "the agent ended without a handoff and without a message",
  });
});

test("a program that is not there fails with the name of the setting", async () => {
  const { result } = await lab.attempt(byCommand({ steps: [] }, { ...TEMPLATE, argv: ["no-such-agent"] }));
  expect(result).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  expect(result.reason).toMatch(/no-such-agent is not in the sandbox.*AGENT_COMMAND_DIR/);
});

test("a program that fails is reported with its exit code and its error output", async () => {
  const { result } = await lab.attempt(
    byCommand(
      { steps: [] },
      { ...TEMPLATE, argv: ["sh", "-c", "echo changed > src/a.txt; echo no model >&2; exit 7"] },
    ),
  );
  expect(result).toMatchObject({ end: "failed", headCommit: null });
  expect(result.reason).toMatch(/sh failed \(exit 7\): no model/);
});

test("a model that refuses is a failure, told with what it said", async () => {
  const { result } = await lab.attempt(byCommand({ steps: steps(write("src/b.txt", "b\n")) }));
  expect(result).toMatchObject({ end: "failed", headCommit: null });
  expect(result.reason).toContain("step 2 was asked for");
});

test("a program that is killed leaves nothing: no commit, no process", async () => {
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

test("what it leaves running is gone before its work is checked", async () => {
  const { result } = await lab.attempt(
    byCommand({
      steps: [
        ...steps(
          write("src/b.txt", "b\n"),
          bash(`sh -c 'sleep 600; : ${CANARY}-server' > /dev/null 2>&1 & echo started`),
        ),
        done,
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

test("an attempt that is called off while its program works leaves no process", async () => {
  const called = new AbortController();
  const { result } = await lab.attempt(
    byCommand({
      // The second call is only told when it is over, so it is the first that tells of the work.
      steps: steps(bash("echo begun"), bash(`sh -c 'sleep 600; : ${CANARY}-off'`)),
      signal: called.signal,
      onProgress: () => called.abort("cancel"),
    }),
  );
  expect(result.end).toBe("cancelled");
  expect(await processesOf(`${CANARY}-off`)).toEqual([]);
});

test("of the environment it gets its own key and address, and nothing else", async () => {
  const { result, transcript } = await lab.attempt(
    byCommand({
      steps: [...steps(bash("tr '\\0' '\\n' < /proc/$PPID/environ"), write("src/b.txt", "b\n")), done],
    }),
  );
  expect(result.end).toBe("submitted");
  const told = transcript.find((entry) => entry.role === "toolResult")?.text.trim() ?? "";
  const env = Object.fromEntries(told.split("\n").map((line) => [line.split("=")[0], line]));
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
  expect(told).not.toContain(CANARY);
  expect(told).not.toContain("the-real-key");
});
