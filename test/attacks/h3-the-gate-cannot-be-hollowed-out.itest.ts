import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptRef } from "@agentswarm/contracts";
import { openArena } from "../../packages/git/testing/arena.ts";
import { startMerger, type TestMerger } from "../../services/merger/testing/start-merger.ts";

/**
 * Each attempt breaks the code that the trunk's test checks, and takes along what would turn the gate green. The
 * commands of the gate are those of the trunk, but what they run and read must not be the attempt's either.
 */
const BROKEN = { "src/reverse.js": "export const reverse = (text) => text;\n" };
const VACUOUS = {
  "src/reverse.test.js": 'import { test } from "node:test";\n\ntest("reverses", () => {});\n',
};

let merger: TestMerger;
let attempts = 0;
beforeAll(async () => {
  merger = await startMerger({
    checks: ["node --test src/"],
    files: { "vitest.config.js": "export default {};\n", "packages/x/AGENTS.md": "Be careful.\n" },
    env: { ALLOW_UNISOLATED: "true" },
  });
});
afterAll(() => merger[Symbol.asyncDispose]());

async function outcomeOf(files: Record<string, string>) {
  const head = merger.head();
  const attempt = { taskId: `attack-${(attempts += 1)}`, base: head, files: { ...BROKEN, ...files } };
  await merger.store([attempt]);
  await merger.request([attempt]);
  const outcome = await merger.outcome(attempt.taskId);
  expect(merger.head()).toBe(head);
  return outcome;
}

test("1: broken code alone is rejected by the gate", async () => {
  expect(await outcomeOf({})).toMatchObject({ kind: "rejected", check: "node --test src/" });
});

test("2: a program in node_modules/.bin never leaves quarantine, and does not land from the store", async () => {
  using arena = await openArena();
  const program = { mode: "100755", name: "node", id: arena.blob("#!/bin/sh\nexit 0\n") };
  const bin = { mode: "40000", name: ".bin", id: arena.tree([program]) };
  const modules = { mode: "40000", name: "node_modules", id: arena.tree([bin]) };
  const nested = { mode: "40000", name: "lib", id: arena.tree([modules]) };
  for (const tree of [arena.onBase([modules]), arena.onBase([nested])]) {
    const head = arena.commit(tree);
    expect(await arena.take(arena.bundle(head), head)).toMatchObject({
      kind: "refused",
      why: expect.stringContaining("lies in node_modules"),
    });
  }
  expect(await outcomeOf({ "node_modules/.bin/node": "#!/bin/sh\nexit 0\n" })).toMatchObject({
    kind: "held",
  });
});

test("3: .npmrc with a shell of its own is held", async () => {
  expect(await outcomeOf({ ".npmrc": "script-shell=/bin/true\n" })).toMatchObject({
    kind: "held",
    why: expect.stringContaining(".npmrc"),
  });
});

test("4: a test made vacuous is held", async () => {
  expect(await outcomeOf(VACUOUS)).toMatchObject({
    kind: "held",
    why: expect.stringContaining("empties tests: src/reverse.test.js"),
  });
});

test("5: a deleted test is held", async () => {
  const store = join(merger.home, "store.git");
  const base = merger.head();
  const deleted = { taskId: "attack-deleted", base, files: BROKEN };
  await merger.store([deleted]);
  const ref = attemptRef(deleted.taskId, 1);
  const person = "Agent <agent@example.com> 1700000000 +0000";
  const input = `commit ${ref}\ncommitter ${person}\ndata 3\nAll\nfrom ${ref}^0\nD src/reverse.test.js\n`;
  execFileSync("git", ["fast-import", "--quiet", "--force", "--date-format=raw"], { cwd: store, input });
  await merger.request([deleted]);
  expect(await merger.outcome(deleted.taskId)).toMatchObject({
    kind: "held",
    why: expect.stringContaining("deletes tests: src/reverse.test.js"),
  });
  expect(merger.head()).toBe(base);
});

test("6: changed scripts of package.json are held", async () => {
  const manifest = { name: "string-kit", version: "1.0.0", type: "module", scripts: { test: "true" } };
  expect(await outcomeOf({ "package.json": JSON.stringify(manifest) })).toMatchObject({
    kind: "held",
    why: expect.stringContaining("scripts of package.json"),
  });
});

test("7: a changed swarm.json is held", async () => {
  expect(await outcomeOf({ "swarm.json": '{"checks":{"gate":[]}}' })).toMatchObject({ kind: "held" });
});

test.each([
  ".gitlab-ci.yml",
  ".husky/pre-commit",
  ".circleci/config.yml",
  "Jenkinsfile",
  "CLAUDE.md",
  ".vscode/tasks.json",
  "packages/x/package-lock.json",
  "packages/x/AGENTS.md",
  "bun.lock",
  "Makefile",
  ".mcp.json",
  "tsconfig.json",
  ".gitattributes",
])("8: %s beside a vacuous test is held by itself", async (path) => {
  const outcome = await outcomeOf({ ...VACUOUS, [path]: "x\n" });
  expect(outcome).toMatchObject({ kind: "held", why: expect.stringContaining(`protected paths: ${path}`) });
});

test("9: a workflow of the CI is held", async () => {
  expect(await outcomeOf({ ".github/workflows/ci.yml": "on: push\n" })).toMatchObject({ kind: "held" });
});

test("the checks run with the trunk's configuration: another one does not reach the gate unapproved", async () => {
  expect(
    await outcomeOf({ "vitest.config.js": "export default { test: { include: [] } };\n" }),
  ).toMatchObject({
    kind: "held",
    why: expect.stringContaining("vitest.config.js"),
  });
});
