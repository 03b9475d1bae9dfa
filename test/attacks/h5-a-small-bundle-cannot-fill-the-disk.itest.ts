import { statSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openArena, type Arena } from "../../packages/git/testing/arena.ts";

/** Finding H5: 19,999 names of one blob were accepted, and a checkout of them would have written a terabyte. */
let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena[Symbol.dispose]());

const MIB = 1024 * 1024;
const names = (count: number, id: string) =>
  Array.from({ length: count }, (_, nth) => ({ mode: "100644", name: `n${nth}`, id })).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );

test("a blob counts once for each path that it is checked out to", async () => {
  const large = arena.blob(Buffer.alloc(5 * MIB));
  const head = arena.commit(
    arena.onBase([{ mode: "40000", name: "d", id: arena.tree(names(19_999, large)) }]),
  );
  const bundle = arena.bundle(head);
  expect(statSync(bundle).size).toBeLessThan(150_000);
  expect(await arena.take(bundle, head)).toEqual({
    kind: "refused",
    why: `its files are ${19_999 * 5 * MIB} bytes when they are checked out, more than ${1024 * MIB}`,
  });
  expect(arena.storeRefs()).toEqual([]);
});

test("the files of earlier commits count, because they stay in the history", async () => {
  const large = arena.blob(Buffer.alloc(5 * MIB));
  const d = (from: number) => ({
    mode: "40000",
    name: `d${from}`,
    id: arena.tree(names(110, large)),
  });
  const first = arena.commit(arena.onBase([d(1)]));
  const head = arena.commit(arena.onBase([d(2)]), { parents: [first] });
  expect(await arena.take(arena.bundle(head), head)).toMatchObject({
    kind: "refused",
    why: expect.stringMatching(/^its files are \d+ bytes when they are checked out/) as string,
  });
});

test("what a later commit deletes is inspected and counted all the same", async () => {
  const link = { mode: "120000", name: "l", id: arena.blob("/etc/passwd") };
  const first = arena.commit(arena.onBase([link]));
  const head = arena.commit(arena.onBase([]), { parents: [first] });
  expect(await arena.take(arena.bundle(head), head)).toEqual({
    kind: "refused",
    why: '"l" links out of the repository',
  });
});

test("an attempt with 500 MiB of files is accepted", async () => {
  const large = arena.blob(Buffer.alloc(5 * MIB));
  const head = arena.commit(arena.onBase([{ mode: "40000", name: "d", id: arena.tree(names(100, large)) }]));
  expect(await arena.take(arena.bundle(head), head)).toMatchObject({ kind: "accepted" });
});
