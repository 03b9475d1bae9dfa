import { afterAll, beforeAll, expect, test } from "vitest";
import { agentResultSchema } from "@agentswarm/contracts";
import { type AttemptLab, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { bash, steps, submit, write } from "./replay-steps.ts";
import { STATE_CHECK } from "./state-check.ts";

let lab: AttemptLab;
beforeAll(async () => {
  lab = await openAttemptLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("work that passes its checks is handed over as one commit by the agent on the base", async () => {
  const { result, raw, taken } = await lab.attempt({
    steps: steps(
      write("src/b.txt", "b\n"),
      write("state.txt", "green\n"),
      submit("Made it green.", { did: ["a"], concerns: ["b"] }),
    ),
    checks: [STATE_CHECK],
  });
  expect(agentResultSchema.parse(raw)).toEqual(result);
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Made it green.",
    did: ["a"],
    concerns: ["b"],
    filesChanged: ["src/b.txt", "state.txt"],
    checks: [{ name: "state", command: STATE_CHECK.command, exitCode: 0 }],
    metrics: { turns: 3, toolCalls: 3, linesAdded: 2, linesRemoved: 1, filesCreated: 1, filesModified: 1 },
  });
  expect(taken).toEqual({
    kind: "accepted",
    commits: [result.headCommit],
    files: ["src/b.txt", "state.txt"],
  });
  const head = result.headCommit ?? "";
  const printed = lab.inStore("log", "-1", "--format=%an <%ae> %cn <%ce> %P%n%B", head).split("\n");
  const agent = "AgentSwarm Agent <agent@agentswarm.invalid>";
  expect(printed[0]).toBe(`${agent} ${agent} ${lab.inStore("rev-parse", `${head}~1`)}`);
  expect(printed.slice(1).join("\n").trim()).toBe("Do the task\n\nMade it green.");
});

test("a failed check is returned to the agent with its output", async () => {
  const { result, taken, transcript } = await lab.attempt({
    steps: steps(
      write("state.txt", "orange\n"),
      submit("Done."),
      write("state.txt", "green\n"),
      submit("Now."),
    ),
    checks: [STATE_CHECK],
  });
  const feedback = textsOf(transcript, "user").at(-1);
  expect(feedback).toContain(`\`${STATE_CHECK.command}\` failed with exit code 3`);
  expect(feedback).toContain("orange");
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Now.",
    checks: [{ exitCode: 0 }],
  });
  expect(taken?.kind).toBe("accepted");
});

test("an agent whose checks still fail after three fix rounds fails without a commit", async () => {
  const claims = [1, 2, 3, 4].flatMap((nth) => [
    write("state.txt", `orange ${nth}\n`),
    submit("All checks pass!"),
  ]);
  const { result, taken } = await lab.attempt({
    // The steps after the fourth claim are never asked for.
    steps: steps(...claims, write("state.txt", "green\n"), submit()),
    checks: [STATE_CHECK],
  });
  expect(result).toMatchObject({
    end: "failed",
    outcome: "failed",
    headCommit: null,
    checks: [{ exitCode: 3 }],
    metrics: { turns: 8 },
  });
  expect(result.reason).toContain("orange 4");
  expect(taken).toBeNull();
});

test("the same claim in every fix round is not a loop", async () => {
  const { result } = await lab.attempt({
    steps: steps(
      write("src/b.txt", "b\n"),
      submit(),
      submit(),
      submit(),
      write("state.txt", "green\n"),
      submit(),
    ),
    checks: [STATE_CHECK],
  });
  expect(result).toMatchObject({ end: "submitted", outcome: "complete" });
});

test("a task's own checks run too", async () => {
  const { result } = await lab.attempt({
    steps: steps(write("src/b.txt", "b\n"), submit(), write("src/c.txt", "c\n"), submit()),
    checks: [{ name: "true", command: "true", timeoutMs: 10_000 }],
    task: { checks: [{ name: "c is there", command: "test -e src/c.txt", timeoutMs: 10_000 }] },
  });
  expect(result).toMatchObject({ end: "submitted", filesChanged: ["src/b.txt", "src/c.txt"] });
  expect(result.checks.map((check) => [check.name, check.exitCode])).toEqual([
    ["true", 0],
    ["c is there", 0],
  ]);
});

test("a claim without a change fails", async () => {
  const { result, taken } = await lab.attempt({ steps: steps(bash("cat README.md"), submit("Did a lot.")) });
  expect(result).toMatchObject({
    end: "failed",
    outcome: "failed",
    reason: "the attempt changed nothing",
    headCommit: null,
  });
  expect(taken).toBeNull();
});

test("a blocked task ends as blocked with the agent's reason, and its unchecked work is kept", async () => {
  const { result, taken } = await lab.attempt({
    steps: steps(write("src/b.txt", "b\n"), submit("The API key is missing.", { outcome: "blocked" })),
    checks: [STATE_CHECK],
  });
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "blocked",
    reason: "The API key is missing.",
    checks: [],
  });
  expect(taken).toMatchObject({ kind: "accepted", files: ["src/b.txt"] });
});

test("a change outside the scope is returned, and the work is accepted without it", async () => {
  const { result, taken, transcript } = await lab.attempt({
    steps: steps(
      write("src/b.txt", "b\n"),
      write("README.md", "# Mine now\n"),
      submit(),
      bash("git checkout README.md"),
      submit(),
    ),
    task: { scope: ["src/**"] },
  });
  const feedback = textsOf(transcript, "user").at(-1);
  expect(feedback).toContain("outside the task's scope (src/**): README.md");
  expect(taken).toMatchObject({ kind: "accepted", files: ["src/b.txt"] });
  expect(result.end).toBe("submitted");
});

test("an agent that keeps a change outside its scope fails", async () => {
  const { result } = await lab.attempt({
    steps: steps(
      write("README.md", "# Mine now\n"),
      ...Array.from({ length: 4 }, (_, nth) => submit(`Try ${nth}`)),
    ),
    task: { scope: ["src/**"] },
  });
  expect(result).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("README.md");
});

test("commits, branches and identities of the agent itself become one commit of the runner", async () => {
  const { result, taken } = await lab.attempt({
    steps: steps(
      write("src/b.txt", "b\n"),
      bash(
        "git config user.name Mallory && git checkout -q -b mine && git add -A && git commit -qm mine && git tag v1 && echo c > src/c.txt && git add -A && git commit -qm more",
      ),
      submit(),
    ),
  });
  expect(result.end).toBe("submitted");
  expect(taken).toEqual({
    kind: "accepted",
    commits: [result.headCommit],
    files: ["src/b.txt", "src/c.txt"],
  });
  expect(lab.inStore("log", "-1", "--format=%an %cn", result.headCommit ?? "")).toBe(
    "AgentSwarm Agent AgentSwarm Agent",
  );
});
