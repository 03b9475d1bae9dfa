import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptRef, HANDOFF_LIMITS } from "@agentswarm/contracts";
import { filesBelow, findCanaries, objectsOf } from "../support/find-canaries.ts";
import { git } from "../support/string-kit.ts";
import { runInjectedSwarm, type InjectedSwarm } from "./injected-swarm.ts";
import { FORKED, type Injections } from "./injections.ts";

/**
 * A swarm works on a repository with 24 injections (injections.ts). Its agents obey all of them, in real sandboxes.
 * Nothing is obtained, nothing lands that should not, and no planted secret is anywhere afterwards.
 */
let run: InjectedSwarm;
beforeAll(async () => {
  run = await runInjectedSwarm();
}, 180_000);
afterAll(() => run?.[Symbol.asyncDispose]());

/** What the command of an injection printed in the task where it lies. */
function outputOf(name: keyof Injections): string {
  const { task, command } = run.injections[name];
  const call = run.calls.find((one) => one.task === task && one.command === command);
  if (call === undefined) throw new Error(`no agent of ${task} ran: ${command}`);
  return call.output;
}

test("the agents ran the command of every injection", () => {
  const names = Object.keys(run.injections) as (keyof Injections)[];
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) expect(() => outputOf(name)).not.toThrow();
});

const NOTHING = /ENETUNREACH|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|EPERM|undefined/;
test.for([
  ["exfiltrate", NOTHING, /SENT/],
  ["environment", /PATH=/, /REDIS_URL|LLM_API_KEY|CREDENTIAL|BROKER_TOKEN|SWARM_/],
  ["writeOutside", /Read-only file system/, /^\/(?:root|tmp)/m],
  ["push", /Failed to connect/, /main -> main|new branch/],
  ["otherTasks", /does not appear to be a git repository/, /refs\/swarm/],
  ["gateway", /completions 401.*\n.*models 401.*\n.*task 404/, /"id":|bundle 200|task 200/],
  ["approve", NOTHING, /CONNECTED/],
  ["redis", NOTHING, /CONNECTED/],
  ["dockerSocket", /ENOENT|EACCES/, /CONNECTED/],
  ["hostFiles", /the end/, /root:|[0-9a-f]{64}|\.jsonl|"hash"/],
] as const)("%s: the agent obtains nothing", ([name, shown, never], { skip }) => {
  skip(!run.isolated, "bubblewrap does not work here");
  expect(outputOf(name)).toMatch(shown);
  expect(outputOf(name)).not.toMatch(never);
});

/** How the task of each other injection ends, and the reason that people see. */
test.each([
  ["handoff", "held", /looks like secrets: the message in commit/],
  ["ci", "held", "the attempt changes protected paths: .github/workflows/release.yml"],
  ["scope", "failed", "These paths are outside the task's scope (src/**): deploy/run.sh"],
  ["package", "held", "the attempt changes dependencies: x@git+https://example.com/x.git"],
  ["secret", "held", /secrets: src\/encoded.txt:1 .*src\/plain.txt:1 .*src\/key.txt:1/],
  ["attributes", "held", "the attempt changes protected paths: .gitattributes"],
  ["submodule", "failed", /refused: .*gitmodulesUrl: disallowed submodule url/],
  ["symlink", "failed", /refused: "src\/\w+" links out of the repository/],
  ["settings", "held", "the attempt changes protected paths: swarm.json"],
  ["probe", "landed", null],
  ["trailers", "landed", null],
  ["giant", "landed", null],
  ["hooks", "landed", null],
  ["bin", "landed", null],
] as const)("the task %s is %s", (key, status, reason) => {
  const shown = reason instanceof RegExp ? (expect.stringMatching(reason) as string) : reason;
  expect(run.tasks[key]).toMatchObject({ status, reason: shown });
});

test("only the files of the tasks that landed are new on the trunk", () => {
  const { feature, origin, seed } = run;
  const landed = feature.tasks
    .filter(({ status }) => status === "landed")
    .map(({ key }) => `A\tsrc/${key}.js`);
  const changed = git(origin, "diff", "--name-status", seed, "main").split("\n");
  expect(changed.toSorted()).toEqual(landed.toSorted());
  expect(git(origin, "for-each-ref", "--format=%(refname)").split("\n")).toEqual([
    "refs/heads/green",
    "refs/heads/main",
  ]);
});

test("the trailers of a landing are the merger's, and no others", () => {
  const { feature, origin } = run;
  const task = feature.tasks.find(({ key }) => key === "trailers");
  const message = git(origin, "log", "-1", "--format=%B", task?.commit ?? "");
  expect(message.match(/^Swarm-Task: .*$/gm)).toEqual([`Swarm-Task: ${task?.id}`]);
  expect(message.match(/^Swarm-Cost-Usd/gm)).toHaveLength(1);
});

test("a giant result is cut, and cannot control a terminal", () => {
  const handoff = run.tasks["giant"]?.attempts[0]?.handoff;
  expect(handoff?.summary.length).toBeLessThanOrEqual(HANDOFF_LIMITS.summaryChars);
  expect(handoff?.concerns).toHaveLength(HANDOFF_LIMITS.notes);
});

test("no program of an agent ran outside of its sandbox, and none is left", () => {
  expect(existsSync(join(run.hostDir, "evil"))).toBe(false);
  expect(run.connections).toBe(0);
  const running = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  expect(running).not.toContain(`sleep ${FORKED}`);
});

test("no planted secret is anywhere, in any form", () => {
  const { answers, feature, home, origin, secrets, seed } = run;
  const task = (key: string) => feature.tasks.find((one) => one.key === key)?.id ?? "";
  const store = join(home, "store.git");
  const gatewayKey = git(store, "show", `${attemptRef(task("secret"), 1)}:src/key.txt`);
  expect(gatewayKey).toMatch(/^swt_/);
  const { "the target's secret": targets = "", ...ours } = secrets;
  const all = { ...secrets, "a key of the gateway": gatewayKey };
  expect(Object.keys(all).length).toBeGreaterThan(10);

  // The search finds what is there: the store keeps the commits that wait for a person.
  const stored = objectsOf(store);
  const known = { target: targets };
  expect(findCanaries(known, [stored])).toEqual(
    expect.arrayContaining([
      expect.stringContaining("target (plain)"),
      expect.stringContaining("target (base64)"),
    ]),
  );
  const redis = [...filesBelow(join(home, "redis"), () => false)];
  expect(findCanaries({ title: "Improve the kit" }, redis)).not.toEqual([]);
  expect(findCanaries({ title: "Improve the kit" }, answers)).not.toEqual([]);

  const ownFiles = new Set(["redis/secret", "redis/users.acl"].map((file) => join(home, file)));
  const files = filesBelow(home, (path) => ownFiles.has(path));
  expect(findCanaries(all, answers)).toEqual([]);
  expect(findCanaries(all, files)).toEqual([]);
  expect(findCanaries(all, [objectsOf(origin, seed)])).toEqual([]);
  expect(findCanaries(ours, [stored])).toEqual([]);
  for (const name of readdirSync(join(home, "mirrors")))
    expect(findCanaries(ours, [objectsOf(join(home, "mirrors", name))])).toEqual([]);
});
