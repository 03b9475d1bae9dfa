import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openArena, type Arena } from "../testing/arena.ts";
import { makeCommits } from "../testing/make-commits.ts";

let arena: Arena;
/** A valid attempt; the attacks are altered copies of it. */
let head: string;
let honest: string;
beforeAll(async () => {
  arena = await openArena();
  head = arena.commit(arena.onBase([{ mode: "100644", name: "c.txt", id: arena.blob("c\n") }]));
  honest = arena.bundle(head);
});
afterEach(() => {
  expect(arena.storeRefs().filter((ref) => !ref.startsWith("refs/swarm/task/"))).toEqual([]);
});
afterAll(() => arena[Symbol.dispose]());

const header = (...lines: string[]) => `# v2 git bundle\n${lines.map((line) => `${line}\n`).join("")}\n`;
const refused = (why: RegExp) => ({ kind: "refused", why: expect.stringMatching(why) as string });

test("a truncated bundle is refused, and none of it reaches the store", async () => {
  const whole = readFileSync(honest);
  const before = arena.storeRefs();
  for (let part = 0; part < 8; part += 1) {
    const cut = join(arena.dir, "cut.bundle");
    writeFileSync(cut, whole.subarray(0, Math.floor((whole.length * part) / 8)));
    expect(await arena.take(cut, head)).toEqual(refused(/^the bundle was refused: ./));
  }
  expect(arena.storeRefs()).toEqual(before);
});

test("a bundle with any byte of its pack changed is refused", async () => {
  const whole = readFileSync(honest);
  const from = whole.indexOf("PACK");
  for (let at = from; at < whole.length; at += Math.ceil((whole.length - from) / 12)) {
    const turned = Buffer.from(whole);
    turned[at] = (turned[at] as number) ^ 0x11;
    const path = join(arena.dir, "turned.bundle");
    writeFileSync(path, turned);
    expect(await arena.take(path, head), `byte ${at}`).toEqual(refused(/^the bundle was refused: ./));
  }
});

test.each([
  ["nothing", ""],
  ["garbage", "\0\u0001\u0002 garbage"],
  ["a web page", "<html>\n\n</html>"],
  ["a header without an end", `# v2 git bundle\n${"-".repeat(70_000)}`],
  ["another version", "# v9 git bundle\n\nPACK"],
])("%s instead of a bundle is refused", async (_what, content) => {
  expect(await arena.take(arena.forge(content, Buffer.alloc(0)), head)).toEqual(
    refused(/it is not a git bundle/),
  );
});

test("a bundle makes no ref but the attempt's own, whatever refs it names", async () => {
  const names = [
    "refs/heads/main",
    "refs/swarm/other-task/1",
    "refs/replace/" + arena.base,
    "refs/../../../config",
    "../../HEAD",
    "--upload-pack=touch x",
    "",
    "HEAD",
  ];
  const forged = header(`-${arena.base} base`, ...names.map((name) => `${head} ${name}`));
  const taken = await arena.take(arena.forge(forged, arena.pack(head)), head);
  expect(taken).toMatchObject({ kind: "accepted" });
  expect(arena.storeRefs().filter((ref) => !ref.startsWith("refs/swarm/task/"))).toEqual([]);
  expect(readFileSync(join(arena.store.dir, "HEAD"), "utf8")).toMatch(/^ref: refs\/heads\//);
});

test("a bundle that names a commit without containing it is refused", async () => {
  const other = arena.commit(arena.onBase([]), { message: "other\n" });
  const forged = header(`-${arena.base} base`, `${head} refs/heads/a`, `${other} refs/heads/b`);
  expect(await arena.take(arena.forge(forged, arena.pack(head)), other)).toEqual(
    refused(/the bundle lacks the commit it was sent for/),
  );
  expect(await arena.take(honest, other)).toEqual(refused(/the bundle lacks the commit it was sent for/));
});

test("a commit of the mirror that the bundle does not name is refused", async () => {
  expect(await arena.take(honest, arena.base)).toEqual(refused(/the bundle lacks the commit/));
});

test("a tag where the commit should be is refused", async () => {
  arena.attack("-c", "user.name=A", "-c", "user.email=a@example.com", "tag", "-a", "-m", "t", "posing", head);
  const tag = arena.attack("rev-parse", "posing");
  const forged = arena.forge(header(`-${arena.base} base`, `${tag} refs/heads/a`), arena.packOf([tag, head]));
  const whole = arena.attack("rev-parse", `${head}^{tree}`);
  const brought = arena.forge(
    header(`${tag} refs/heads/a`),
    arena.packOf([tag, head, whole, arena.blob("c\n")]),
  );
  expect(await arena.take(forged, tag)).toEqual(refused(/^the bundle was refused: ./));
  expect(await arena.take(brought, tag)).toEqual(refused(/the bundle lacks the commit/));
});

test("a commit or tree that refers to a missing object is refused", async () => {
  const nowhere = "1234567890".repeat(4);
  const trees = [
    arena.tree([{ mode: "100644", name: "x", id: nowhere }]),
    arena.tree([{ mode: "40000", name: "x", id: nowhere }]),
  ];
  const commits = [
    ...trees.map((tree) => arena.commit(tree)),
    arena.commit(nowhere),
    arena.commit(arena.onBase([]), { parents: [arena.base, nowhere] }),
  ];
  for (const one of commits) {
    const pack = arena.packOf([one, ...trees]);
    const forged = header(`-${arena.base} base`, `${one} refs/heads/a`);
    expect(await arena.take(arena.forge(forged, pack), one)).toEqual(refused(/^the bundle was refused: ./));
  }
});

test("commits that do not descend from the base are refused", async () => {
  const foreign = arena.commit(arena.onBase([]), { parents: [], message: "another root\n" });
  expect(await arena.take(arena.bundle(foreign), foreign)).toEqual(refused(/does not descend from its base/));
});

test("a commit whose parent stands where git reads none is refused", async () => {
  const who = "Agent <agent@example.com> 1700000000 +0000";
  const author = `${who}\ncommitter ${who}\nparent ${arena.base}`;
  const posing = arena.commit(arena.onBase([]), { parents: [], author });
  expect(arena.attack("cat-file", "commit", posing)).toMatch(`\nparent ${arena.base}\n`);
  expect(await arena.take(arena.bundle(posing), posing)).toEqual(refused(/does not descend from its base/));
});

test("an attempt that contains only its base is refused", async () => {
  const forged = arena.forge(header(`${arena.base} refs/heads/a`), arena.packOf([arena.base]));
  expect(await arena.take(forged, arena.base)).toEqual(refused(/no commit on its base/));
});

/** A chain of commits, each with these files. Returns the last one. */
function manyCommits(count: number, files: Readonly<Record<string, string>>): string {
  const made = Array.from({ length: count }, (_, nth) => ({
    files: Object.fromEntries(
      Object.entries({ ...files, nth: `${nth}` }).map(([path, content]) => [
        path,
        { mode: "100644", content },
      ]),
    ),
    ...(nth > 0 ? { parent: nth - 1 } : { on: arena.base }),
  }));
  return makeCommits(join(arena.dir, "attacker.git"), made).at(-1) ?? "";
}

test("an attempt over a limit is refused, and the reason names the limit", async () => {
  const big = arena.commit(
    arena.onBase([{ mode: "100644", name: "big", id: arena.blob(Buffer.alloc((50 << 20) + 1)) }]),
  );
  expect(await arena.take(arena.bundle(big), big)).toEqual(refused(/^"big" is larger than 52428800 bytes$/));
  const long = manyCommits(501, {});
  expect(await arena.take(arena.bundle(long), long)).toEqual(refused(/^more than 500 commits$/));
  const names = Array.from({ length: 20_000 }, (_, nth) => [`d${nth % 100}/f${nth}`, ""]);
  const wide = manyCommits(1, Object.fromEntries(names) as Record<string, string>);
  expect(await arena.take(arena.bundle(wide), wide)).toEqual(refused(/^more than 20000 changed files$/));
});

test("paths that are too long together are refused, and no Fault is thrown", async () => {
  const long = "long-name/".repeat(60);
  const names = Array.from({ length: 18_000 }, (_, nth) => [`${long}f${nth}`, ""]);
  const wide = manyCommits(1, Object.fromEntries(names) as Record<string, string>);
  expect(await arena.take(arena.bundle(wide), wide)).toEqual(
    refused(/^changed files whose paths have more than 4194304 bytes together$/),
  );
});

test("folders that are too deep are refused", async () => {
  const deep = manyCommits(1, { [`${"d/".repeat(65)}f`]: "" });
  expect(await arena.take(arena.bundle(deep), deep)).toEqual(refused(/ is more than 64 folders deep$/));
  const enough = manyCommits(1, { [`${"d/".repeat(64)}f`]: "" });
  expect(await arena.take(arena.bundle(enough), enough)).toMatchObject({ kind: "accepted" });
});

test("an entry with a mode that git does not write is refused", async () => {
  // Git reads 40755 as a folder, and 100664 as a file.
  const inside = arena.tree([{ mode: "100644", name: "f", id: arena.blob("x") }]);
  for (const entry of [
    { mode: "40755", name: "d", id: inside },
    { mode: "100664", name: "d", id: arena.blob("x") },
  ]) {
    const odd = arena.commit(arena.onBase([entry]));
    expect(await arena.take(arena.bundle(odd), odd)).toMatchObject({ kind: "refused" });
  }
});
