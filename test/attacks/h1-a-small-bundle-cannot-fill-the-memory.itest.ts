import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openArena, type Arena } from "../../packages/git/testing/arena.ts";
import { peakOfGit } from "../support/peak-memory.ts";

/**
 * Finding H1: a bundle of 985 bytes with 10^10 paths took the dispatcher's `git diff-tree` to 18.9 GB. Now the paths are
 * counted before git lists them, and git has a limit of memory.
 */
let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena[Symbol.dispose]());

const MAX_MIB = 450;

/** A tree of ten names for the same tree of ten names, and so on: 10^depth paths. */
function bomb(depth: number, leaf: { mode: string; id: string }): string {
  let { mode, id } = leaf;
  for (let level = 0; level < depth; level += 1) {
    const inside = { mode, id };
    id = arena.tree(Array.from({ length: 10 }, (_, nth) => ({ ...inside, name: `n${nth}` })));
    mode = "40000";
  }
  return id;
}

async function send(bundle: string, head: string) {
  let taken: unknown;
  const peak = await peakOfGit(async () => {
    taken = await arena.take(bundle, head).catch((error: unknown) => error);
  });
  expect(peak, "MiB of git").toBeLessThan(MAX_MIB);
  expect(arena.storeRefs()).toEqual([]);
  return taken;
}

test.each([5, 6, 10, 60])("trees with 10^%i paths are refused by their count", async (depth) => {
  const id = bomb(depth, { mode: "100644", id: arena.blob("x\n") });
  const head = arena.commit(arena.onBase([{ mode: "40000", name: "bomb", id }]));
  const bundle = arena.bundle(head);
  expect(statSync(bundle).size).toBeLessThan(5_000);
  expect(await send(bundle, head)).toEqual({ kind: "refused", why: "more than 20000 changed files" });
});

test("trees with 10^10 folders and no file are refused by their count", async () => {
  const id = bomb(10, { mode: "40000", id: arena.tree([]) });
  const head = arena.commit(arena.onBase([{ mode: "40000", name: "bomb", id }]));
  expect(await send(arena.bundle(head), head)).toEqual({
    kind: "refused",
    why: "more than 20000 changed folders",
  });
});

test("a bomb that the next commit removes is refused too", async () => {
  const id = bomb(8, { mode: "100644", id: arena.blob("x\n") });
  const first = arena.commit(arena.onBase([{ mode: "40000", name: "bomb", id }]));
  const head = arena.commit(arena.onBase([{ mode: "100644", name: "c", id: arena.blob("c") }]), {
    parents: [first],
  });
  expect(await send(arena.bundle(head), head)).toEqual({
    kind: "refused",
    why: "more than 20000 changed files",
  });
});

test("a delta of a few bytes that expands to a gigabyte is refused by git's limit of memory", async () => {
  const pack = deltaBomb();
  expect(pack.length).toBeLessThan(50_000);
  const head = arena.commit(arena.onBase([]), { message: "not in the pack\n" });
  const bundle = arena.forge(`# v2 git bundle\n-${arena.base} base\n${head} refs/heads/a\n\n`, pack);
  expect(await send(bundle, head)).toEqual({
    kind: "refused",
    why: "the bundle was refused: git index-pack needs more than 384 MiB of memory (limit)",
  });
});

/** A pack of 16 MiB of zeros, and a delta that copies them 64 times (gitformat-pack). */
function deltaBomb(): Buffer {
  const [size, copies] = [0xff_ff_ff, 64];
  const varint = (value: number) => {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
    return Buffer.from([...bytes, rest]);
  };
  const entry = (type: number, length: number) =>
    length < 16
      ? Buffer.from([(type << 4) | length])
      : Buffer.concat([Buffer.from([0x80 | (type << 4) | (length & 0x0f)]), varint(Math.floor(length / 16))]);
  const base = Buffer.concat([entry(3, size), deflateSync(Buffer.alloc(size), { level: 9 })]);
  const copy = Buffer.from([0xf0, 0xff, 0xff, 0xff]);
  const delta = Buffer.concat([
    varint(size),
    varint(size * copies),
    ...Array.from({ length: copies }, () => copy),
  ]);
  // The distance back to the base, in groups of seven bits, each but the last one less by one.
  const distance = [base.length & 0x7f];
  for (let rest = base.length >> 7; rest > 0; rest >>= 7) {
    rest -= 1;
    distance.unshift(0x80 | (rest & 0x7f));
  }
  const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\u0002", "latin1");
  const content = Buffer.concat([
    header,
    base,
    entry(6, delta.length),
    Buffer.from(distance),
    deflateSync(delta),
  ]);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}
