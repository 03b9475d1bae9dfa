import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openKeyRing } from "./key-ring.ts";
import { addKey } from "./keys.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swarm-ring-"));
  file = join(folder, "keys.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const add = (name: string) =>
  openKeyRing(file).change((keys, now) => addKey(keys, { role: "viewer", name, expiresAt: null }, now));

const MAKE_MANY = `
  const [ring, keys] = await Promise.all([import(process.argv[1]), import(process.argv[2])]);
  const own = ring.openKeyRing(process.argv[3]);
  await Promise.all(Array.from({ length: 10 }, (_, nth) =>
    own.change((all, now) => keys.addKey(all, { role: "viewer", name: process.argv[4] + nth, expiresAt: null }, now))));
`;

test("of keys that several processes make at once, none is lost", async () => {
  const modules = ["key-ring.ts", "keys.ts"].map((name) => join(import.meta.dirname, name));
  const run = (prefix: string) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", MAKE_MANY, ...modules, file, prefix]);
  await Promise.all([run("a"), run("b"), ...Array.from({ length: 10 }, (_, nth) => add(`c${nth}`))]);
  const names = new Set((await openKeyRing(file).list()).map((key) => key.name));
  const expected = ["a", "b", "c"].flatMap((prefix) => Array.from({ length: 10 }, (_, nth) => prefix + nth));
  expect(names).toEqual(new Set(expected));
  expect(readdirSync(folder)).toEqual(["keys.json"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("the lock of a process that died is taken over", async () => {
  const lock = `${file}.lock`;
  writeFileSync(lock, "of a process that died");
  const longAgo = Date.now() / 1_000 - 60;
  utimesSync(lock, longAgo, longAgo);
  await add("ada");
  expect((await openKeyRing(file).list()).map((key) => key.name)).toEqual(["ada"]);
  expect(readdirSync(folder)).toEqual(["keys.json"]);
});

test("a change that is refused leaves the keys and no lock", async () => {
  await add("ada");
  await expect(add("ada")).rejects.toThrow("there is a key of the name ada already");
  expect(await openKeyRing(file).list()).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(["keys.json"]);
});

test("who lost the lock to another process writes nothing", async () => {
  await add("ada");
  const late = openKeyRing(file).change((keys, now) => {
    writeFileSync(`${file}.lock`, "of another process");
    return addKey(keys, { role: "viewer", name: "bob", expiresAt: null }, now);
  });
  await expect(late).rejects.toThrow("was changed by another process meanwhile");
  expect((await openKeyRing(file).list()).map((key) => key.name)).toEqual(["ada"]);
  expect(readdirSync(folder)).toEqual(["keys.json", "keys.json.lock"]);
});
