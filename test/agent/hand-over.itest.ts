import { afterAll, beforeAll, expect, test } from "vitest";
import { agentResultSchema } from "@agentswarm/contracts";
import { bash, openLab, steps, submit, write, type Lab } from "./attempt-lab.ts";

const STATE = {
  name: "state",
  command: "grep -q green state.txt || { cat state.txt; exit 3; }",
  timeoutMs: 10_000,
};

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("work that holds is handed over: a whole result, a bundle, one commit by the agent on the base", async () => {
  const { result, raw, taken } = await lab.attempt({
    steps: steps(
      write("src/b.txt", "b\n"),
      write("state.txt", "green\n"),
      submit("Made it green.", { did: ["a"], concerns: ["b"] }),
    ),
    checks: [STATE],
  });
  expect(agentResultSchema.parse(raw)).toEqual(result);
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Made it green.",
    did: ["a"],
    concerns: ["b"],
    filesChanged: ["src/b.txt", "state.txt"],
    checks: [{ name: "state", command: STATE.command, exitCode: 0 }],
    metrics: { turns: 3, toolCalls: 3, linesAdded: 2, linesRemoved: 1, filesCreated: 1, filesModified: 1 },
  });
  expect(taken).toEqual({
    kind: "accepted",
    commits: [result.headCommit],
    files: ["src/b.txt", "state.txt"],
  });
  const head = result.headCommit ?? "";
  const told = lab.inStore("log", "-1", "--format=%an <%ae> %cn <%ce> %P%n%B", head).split("\n");
  const agent = "AgentSwarm Agent <agent@agentswarm.invalid>";
  expect(told[0]).toBe(`${agent} ${agent} ${lab.inStore("rev-parse", `${head}~1`)}`);
  expect(told.slice(1).join("\n").trim()).toBe("Do the task\n\nMade it green.");
});

test("a failing check is returned with its output, and fixed", async () => {
  const { result, taken, transcript } = await lab.attempt({
    steps: steps(
      write("state.txt", "orange\n"),
      submit("Done."),
      write("state.txt", "green\n"),
      submit("Now."),
    ),
    checks: [STATE],
  });
  const feedback = transcript.filter((entry) => entry.role === "user").at(-1)?.text ?? "";
  expect(feedback).toContain(`\`${STATE.command}\` failed with exit code 3`);
  expect(feedback).toContain("orange");
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Now.",
    checks: [{ exitCode: 0 }],
  });
  expect(taken?.kind).toBe("accepted");
});

test("an agent that claims done while its checks stay red fails, and nothing of it is handed over", async () => {
  const claims = [1, 2, 3, 4].flatMap((nth) => [
    write("state.txt", `orange ${nth}\n`),
    submit("All checks pass!"),
  ]);
  const { result, taken } = await lab.attempt({
    // What would come next is never asked for.
    steps: steps(...claims, write("state.txt", "green\n"), submit()),
    checks: [STATE],
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

test("the same claim over and over is given back each time, and does not count as going in circles", async () => {
  const { result } = await lab.attempt({
    steps: steps(
      write("src/b.txt", "b\n"),
      submit(),
      submit(),
      submit(),
      write("state.txt", "green\n"),
      submit(),
    ),
    checks: [STATE],
  });
  expect(result).toMatchObject({ end: "submitted", outcome: "complete" });
});

test("a task's own checks are run too", async () => {
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

test("a claim of work without a change fails", async () => {
  const { result, taken } = await lab.attempt({ steps: steps(bash("cat README.md"), submit("Did a lot.")) });
  expect(result).toMatchObject({
    end: "failed",
    outcome: "failed",
    reason: "the attempt changed nothing",
    headCommit: null,
  });
  expect(taken).toBeNull();
});

test("a blocked task is reported with the agent's reason", async () => {
  const { result } = await lab.attempt({
    steps: steps(write("src/b.txt", "b\n"), submit("The API key is missing.", { outcome: "blocked" })),
    checks: [STATE],
  });
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "blocked",
    reason: "The API key is missing.",
    headCommit: null,
    checks: [],
  });
});

test("a change outside the scope is given back, and taken when it is gone", async () => {
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
  const feedback = transcript.filter((entry) => entry.role === "user").at(-1)?.text ?? "";
  expect(feedback).toContain("outside the task's scope (src/**): README.md");
  expect(taken).toMatchObject({ kind: "accepted", files: ["src/b.txt"] });
  expect(result.end).toBe("submitted");
});

test("an agent that insists on leaving its scope fails", async () => {
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

test("commits, branches and identities that the agent made itself become one commit of ours", async () => {
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
