import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nameOfContent, openSnapshotIndex } from "./snapshot-index.ts";

const DAY_MS = 24 * 3_600_000;
const dir = mkdtempSync(join(tmpdir(), "swarm-images-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const mounts = [
  { from: "/a", at: "agent.mjs", key: "agent-1" },
  { from: "/b", at: "node_modules", key: "deps-1" },
];

test("a name depends on content and base, not on the order or the source path of mounts", () => {
  const name = nameOfContent(["base"], mounts);
  expect(nameOfContent(["base"], mounts.toReversed())).toBe(name);
  expect(
    nameOfContent(
      ["base"],
      mounts.map((mount) => ({ ...mount, from: "/c" })),
    ),
  ).toBe(name);
  expect(nameOfContent(["newer"], mounts)).not.toBe(name);
  expect(nameOfContent(["base"], mounts.slice(1))).not.toBe(name);
  expect(
    nameOfContent(
      ["base"],
      mounts.map((mount) => ({ ...mount, at: `x/${mount.at}` })),
    ),
  ).not.toBe(name);
});

test("a snapshot is found by every process until it is removed, too old or unreadable", () => {
  let today = Date.now();
  const index = openSnapshotIndex(dir, () => today);
  expect(index.find("one")).toBeNull();
  index.put("one", "im-1", mounts);
  expect(openSnapshotIndex(dir, () => today).find("one")).toBe("im-1");
  index.put("one", "im-2", mounts);
  expect(index.find("one")).toBe("im-2");
  today += 24 * DAY_MS;
  expect(index.find("one")).toBe("im-2");
  today += 2 * DAY_MS;
  expect(index.find("one")).toBeNull();
  index.put("one", "im-3", mounts);
  index.remove("one");
  index.remove("one");
  expect(index.find("one")).toBeNull();
  writeFileSync(join(dir, "half.json"), '{"imageId":');
  expect(index.find("half")).toBeNull();
  expect(readdirSync(dir)).toEqual(["half.json"]);
});
