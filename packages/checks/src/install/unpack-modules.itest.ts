import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { unpackModules, UNPACK_LIMITS } from "./unpack-modules.ts";

const root = mkdtempSync(join(tmpdir(), "swarm-unpack-"));
afterAll(() => rmSync(root, { recursive: true }));

type Entry = readonly [kind: string, ...unknown[]];
const file = (path: string, content: string, runs = false): (Entry | string)[] => [
  ["file", path, runs, Buffer.byteLength(content)],
  content,
];

/** Sends entries in pieces of `size` bytes, and returns the folder that they were written to. */
async function unpack(
  entries: readonly (Entry | string)[],
  limits = UNPACK_LIMITS,
  size = 7,
): Promise<string> {
  const dir = join(mkdtempSync(join(root, "one-")), "node_modules");
  mkdirSync(dir);
  const bytes = Buffer.from(
    entries.map((one) => (typeof one === "string" ? one : `${JSON.stringify(one)}\n`)).join(""),
  );
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  await unpackModules(pieces(), dir, limits);
  return dir;
}

test("files, folders, programs and links are written as they were", async () => {
  const dir = await unpack([
    ["folder", "a"],
    ...file("a/x.js", "the\ncontent\n"),
    ...file("a/run", "#!/bin/sh\n", true),
    ...file("empty", ""),
    ["folder", ".bin"],
    ["link", ".bin/run", "../a/run"],
    ["end"],
  ]);
  expect(readFileSync(join(dir, "a/x.js"), "utf8")).toBe("the\ncontent\n");
  expect(statSync(join(dir, "a/run")).mode & 0o777).toBe(0o755);
  expect(statSync(join(dir, "a/x.js")).mode & 0o777).toBe(0o644);
  expect(readFileSync(join(dir, "empty"), "utf8")).toBe("");
  expect(readlinkSync(join(dir, ".bin/run"))).toBe("../a/run");
});

test.each(["../x", "/x", "a/../../x", "a//x", "./x", "", "a\\x", "a\0x", "n".repeat(256)])(
  "the path %j is refused",
  async (path) => {
    await expect(unpack([["folder", "a"], ...file(path, "x"), ["end"]])).rejects.toThrow("have the path");
  },
);

test.each(["/etc/passwd", "../../x", "../a/../../x", "..", "", "x/../../../y"])(
  "a link to %j is refused",
  async (target) => {
    await expect(unpack([["folder", "a"], ["link", "a/x", target], ["end"]])).rejects.toThrow(
      "a link a/x to",
    );
  },
);

test("nothing is written through a link or over another entry", async () => {
  await expect(unpack([["link", "a", "b"], ["folder", "b"], ...file("a/x", "x"), ["end"]])).rejects.toThrow(
    "ENOENT",
  );
  await expect(unpack([...file("a", "1"), ...file("a", "2"), ["end"]])).rejects.toThrow("EEXIST");
  await expect(unpack([...file("a", "1"), ["link", "a", "b"], ["end"]])).rejects.toThrow("EEXIST");
});

test("limits of bytes and entries hold before anything more is written", async () => {
  const limits = { bytes: 10, entries: 3 };
  await expect(unpack([...file("a", "12345"), ...file("b", "123456"), ["end"]], limits)).rejects.toThrow(
    "10 bytes",
  );
  const many: Entry[] = ["a", "b", "c", "d"].map((path) => ["folder", path]);
  await expect(unpack([...many, ["end"]], limits)).rejects.toThrow("more than 3 files and folders");
  await expect(unpack([["file", "a", false, 2 ** 50], ["end"]])).rejects.toThrow("bytes");
});

test("an end that comes too early is refused", async () => {
  await expect(unpack([["file", "a", false, 10], "12345"])).rejects.toThrow("ended early");
  await expect(unpack([["folder", "a"]])).rejects.toThrow("ended early");
});

test("an entry that never ends is refused", async () => {
  await expect(unpack(["x".repeat(100_000)], UNPACK_LIMITS, 50_000)).rejects.toThrow("too long");
});

test("special files and unknown entries are refused", async () => {
  await expect(unpack([["device", "a"], ["end"]])).rejects.toThrow();
  const dir = await unpack([["end"]]);
  expect(existsSync(dir) && lstatSync(dir).isDirectory()).toBe(true);
});
