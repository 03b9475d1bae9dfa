import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runChecks } from "@agentswarm/checks";
import { openSandboxProvider, sandboxSettingsSchema, type SandboxProvider } from "@agentswarm/sandbox";
import { parseEnv } from "@agentswarm/service";
import { openArena, type Arena } from "../../packages/git/testing/arena.ts";

/**
 * Finding H4: `git checkout` exits with 0 though a file of 300 bytes' name could not be made. The checks were green
 * without it, it landed, and from then on the trunk could not be cloned.
 */
const dir = mkdtempSync(join(tmpdir(), "swarm-h4-"));
let arena: Arena;
let provider: SandboxProvider;
beforeAll(async () => {
  arena = await openArena();
  const settings = parseEnv(sandboxSettingsSchema, { ...process.env, ALLOW_UNISOLATED: "true" });
  provider = await openSandboxProvider({ home: dir, swarm: "h4", settings });
});
afterAll(() => {
  arena[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
});

const LONG = "x".repeat(300);
const file = (name: string) => ({ mode: "100644", name, id: arena.blob("x\n") });
const folder = (name: string, ...entries: Parameters<Arena["tree"]>[0]) => ({
  mode: "40000",
  name,
  id: arena.tree(entries),
});

test.each([
  ["a file", () => file(LONG), /^"x{200}" has a name of 300 bytes, more than 255$/],
  ["a folder", () => folder(LONG, file("f")), /^"x{200}" has a name of 300 bytes, more than 255$/],
  [
    "a file in a folder",
    () => folder("d", file(LONG)),
    /^"d\/x{198}" has a name of 300 bytes, more than 255$/,
  ],
])("quarantine refuses a name of 300 bytes of %s", async (_what, entry, why) => {
  const head = arena.commit(arena.onBase([entry()]));
  expect(await arena.take(arena.bundle(head), head)).toEqual({
    kind: "refused",
    why: expect.stringMatching(why) as string,
  });
});

test("quarantine refuses a path of more than 4,096 bytes", async () => {
  let inside = file("f");
  for (let nth = 0; nth < 20; nth += 1) inside = folder("y".repeat(250), inside);
  const head = arena.commit(arena.onBase([inside]));
  expect(await arena.take(arena.bundle(head), head)).toEqual({
    kind: "refused",
    why: expect.stringMatching(/is a path of \d+ bytes, more than 4096$/) as string,
  });
});

const check = (commit: string) =>
  runChecks({
    provider,
    repoDir: join(arena.dir, "attacker.git"),
    commit,
    checks: [{ name: "c", command: "true", timeoutMs: 10_000 }],
    mounts: [],
    cacheDir: join(dir, "bundles"),
    labels: { swarm: "h4", purpose: "test" },
  });

test("a checkout that lacks files is a red result with their names, not a fault", async () => {
  const tree = arena.onBase([folder("d", file("ok"), file(LONG))]);
  const done = await check(arena.commit(tree));
  expect(done).toMatchObject({ tree, passed: false });
  expect(done.results).toMatchObject([
    { name: "checkout", exitCode: 3, outputTail: expect.stringContaining(`d/${LONG}`) as string },
  ]);
});

test("a whole checkout is green, also with line endings that are converted", async () => {
  const tree = arena.onBase([
    { mode: "100644", name: ".gitattributes", id: arena.blob("* text=auto eol=crlf\n") },
    { mode: "100644", name: "crlf", id: arena.blob("a\r\nb\n") },
    { mode: "120000", name: "link", id: arena.blob("a.txt") },
  ]);
  const done = await check(arena.commit(tree));
  expect(done).toMatchObject({ tree, passed: true });
});
