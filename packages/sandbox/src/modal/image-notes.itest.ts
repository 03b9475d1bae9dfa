import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nameOfContent, openImageNotes } from "./image-notes.ts";

const DAY_MS = 24 * 3_600_000;
const dir = mkdtempSync(join(tmpdir(), "swarm-images-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const mounts = [
  { from: "/a", at: "agent.mjs", key: "agent-1" },
  { from: "/b", at: "node_modules", key: "deps-1" },
];

test("a name tells content and base apart, not the order or where it came from", () => {
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

test("a note is found by every process until it is forgotten, grows old or is broken", () => {
  let today = Date.now();
  const notes = openImageNotes(dir, () => today);
  expect(notes.find("one")).toBeNull();
  notes.keep("one", "im-1", mounts);
  expect(openImageNotes(dir, () => today).find("one")).toBe("im-1");
  notes.keep("one", "im-2", mounts);
  expect(notes.find("one")).toBe("im-2");
  today += 24 * DAY_MS;
  expect(notes.find("one")).toBe("im-2");
  today += 2 * DAY_MS;
  expect(notes.find("one")).toBeNull();
  notes.keep("one", "im-3", mounts);
  notes.forget("one");
  notes.forget("one");
  expect(notes.find("one")).toBeNull();
  writeFileSync(join(dir, "half.json"), '{"imageId":');
  expect(notes.find("half")).toBeNull();
  expect(readdirSync(dir)).toEqual(["half.json"]);
});
