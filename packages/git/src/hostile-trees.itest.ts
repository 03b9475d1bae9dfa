import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openArena, type Arena } from "../testing/arena.ts";

/** Builds an attacker's commits, whose trees must not reach the store. */
let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterEach(() => {
  expect(arena.storeRefs().filter((ref) => ref !== "refs/swarm/task/1")).toEqual([]);
});
afterAll(() => arena[Symbol.dispose]());

const regular = (name: string, content = "x\n") => ({ mode: "100644", name, id: arena.blob(content) });
const link = (name: string, target: string) => ({ mode: "120000", name, id: arena.blob(target) });
const folder = (name: string, ...entries: Parameters<Arena["tree"]>[0]) => ({
  mode: "40000",
  name,
  id: arena.tree(entries),
});
const send = (tree: string) => {
  const head = arena.commit(tree);
  return arena.take(arena.bundle(head), head);
};

test("a valid attempt is accepted with its commits and files", async () => {
  const tree = arena.onBase([
    folder(
      "lib",
      regular(".gitignore"),
      link("up", "../a.txt"),
      regular(Buffer.from("ä.js").toString("latin1")),
    ),
    regular("git~2"),
    regular(".github"),
  ]);
  const head = arena.commit(tree);
  expect(await arena.take(arena.bundle(head), head)).toEqual({
    kind: "accepted",
    commits: [head],
    files: [".github", "git~2", "lib/.gitignore", "lib/up", "lib/ä.js"],
  });
  expect(arena.storeRefs()).toEqual(["refs/swarm/task/1"]);
});

test.each([
  ".git",
  ".GIT",
  ".Git",
  "git~1",
  "GIT~1",
  ".git ",
  ".git.",
  ".git. .",
  // Zero-width characters, which HFS+ ignores, as bytes.
  ".g\u00e2\u0080\u008cit",
  "\u00ef\u00bb\u00bf.git",
  // NTFS reads the first as the folder itself, the second as a path.
  ".git::$INDEX_ALLOCATION",
  "a\\.git\\config",
])("an entry named %j is refused as git's own folder", async (name) => {
  for (const tree of [
    arena.onBase([regular(name)]),
    arena.onBase([folder("lib", folder(name, regular("config")))]),
  ]) {
    expect(await send(tree)).toMatchObject({
      kind: "refused",
      why: expect.stringMatching(/dotgit|git's own/i),
    });
  }
});

test.each(["..", ".", "a/b"])("an entry named %j is refused", async (name) => {
  const bad = arena.tree([regular(name)]);
  expect(await send(bad)).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("bundle was refused"),
  });
});

test.each(["\u001b]52;c;x\u0007", "two\nlines", "\u007f", "\u00c2\u009b31m"])(
  "a name with control characters, %j, is refused",
  async (name) => {
    expect(await send(arena.onBase([regular(name)]))).toMatchObject({
      kind: "refused",
      why: expect.stringMatching(/^"[ -~]*" has control characters/),
    });
  },
);

test("a tree with a name twice, or out of order, is refused", async () => {
  for (const tree of [
    arena.tree([regular("a", "1"), regular("a", "2")]),
    arena.tree([regular("b"), regular("a")]),
  ]) {
    expect(await send(tree)).toMatchObject({ kind: "refused", why: expect.stringContaining("fsck error") });
  }
});

test.each([
  ["/etc/passwd"],
  ["../../outside"],
  ["../.."],
  // Inside by its letters, but outside when `up` is a link to the root.
  ["down/../../../x/y"],
  ["up/../x"],
  [".git/hooks"],
  ["../.GIT/config"],
])("a link in a folder that points to %j is refused", async (target) => {
  expect(await send(arena.onBase([folder("lib", link("l", target))]))).toMatchObject({
    kind: "refused",
    why: '"lib/l" links out of the repository',
  });
});

test("a link that leaves the repository through another link is refused", async () => {
  const deep = folder("d1", folder("d2", link("root", "../..")));
  const why = '"way-out" links out of the repository';
  expect(await send(arena.onBase([deep, link("way-out", "d1/d2/root/../etc")]))).toEqual({
    kind: "refused",
    why,
  });
});

test("a link with a target over 4,096 bytes is refused by its size", async () => {
  expect(await send(arena.onBase([link("l", "x".repeat(70_000))]))).toEqual({
    kind: "refused",
    why: '"l" is larger than 4096 bytes',
  });
});

test("a bad link is refused also when a later commit removes it", async () => {
  const first = arena.commit(arena.onBase([link("l", "/etc/passwd")]));
  const head = arena.commit(arena.onBase([regular("l")]), { parents: [first] });
  expect(await arena.take(arena.bundle(head), head)).toMatchObject({
    why: '"l" links out of the repository',
  });
});

test("a bad link is refused also when a later commit makes a file of it, with the link's target as its text", async () => {
  const first = arena.commit(arena.onBase([link("l", "/etc/passwd")]));
  const head = arena.commit(arena.onBase([regular("l", "/etc/passwd")]), { parents: [first] });
  expect(await arena.take(arena.bundle(head), head)).toMatchObject({
    why: '"l" links out of the repository',
  });
});

test("a submodule is refused, whatever its .gitmodules says", async () => {
  const gitlink = { mode: "160000", name: "sub", id: arena.base };
  const modules = (url: string) =>
    regular(".gitmodules", `[submodule "sub"]\n\tpath = sub\n\turl = ${url}\n`);
  expect(await send(arena.onBase([modules("https://example.com/sub.git"), gitlink]))).toEqual({
    kind: "refused",
    why: '"sub" is a submodule',
  });
  expect(await send(arena.onBase([gitlink]))).toMatchObject({ kind: "refused" });
});

test.each([
  ["an option as url", '[submodule "s"]\n\tpath = s\n\turl = --upload-pack=touch x\n'],
  ["a command as update", '[submodule "s"]\n\tpath = s\n\turl = x\n\tupdate = !touch x\n'],
  ["an option as path", '[submodule "s"]\n\tpath = -s\n\turl = x\n'],
  ["a name that leads out", '[submodule "../../x"]\n\tpath = s\n\turl = x\n'],
])("a .gitmodules with %s is refused", async (_what, content) => {
  expect(await send(arena.onBase([regular(".gitmodules", content)]))).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("gitmodules"),
  });
});

test("a .gitmodules that is a link is refused", async () => {
  expect(await send(arena.onBase([link(".gitmodules", "a.txt")]))).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("gitmodulesSymlink"),
  });
});
