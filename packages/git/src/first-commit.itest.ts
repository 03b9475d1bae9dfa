import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { beginEmptyOrigin } from "./first-commit.ts";
import { openOrigin } from "./open-origin.ts";

const root = mkdtempSync(join(tmpdir(), "swarm-first-commit-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
let origin: string;
let count = 0;
beforeEach(() => {
  count += 1;
  origin = join(root, `${count}.git`);
  git("init", "-q", "--bare", "--initial-branch=develop", origin);
});
const log = () => git("-C", origin, "log", "--format=%an %s", "develop");

test("an empty origin gets an empty first commit on the branch that its HEAD names", async () => {
  expect(await beginEmptyOrigin({ url: origin })).toBe("develop");
  expect(log()).toBe("AgentSwarm Begin the project");
  expect(git("-C", origin, "ls-tree", "-r", "develop")).toBe("");
  using opened = await openOrigin({ url: origin, mirrorDir: join(root, `${count}.mirror`) });
  expect(await opened.head()).toBe(git("-C", origin, "rev-parse", "develop"));
  // A second start finds the branch and adds nothing.
  expect(await beginEmptyOrigin({ url: origin })).toBeNull();
  expect(log().split("\n")).toHaveLength(1);
});

test("TRUNK names the branch of the first commit", async () => {
  expect(await beginEmptyOrigin({ url: origin, trunk: "next" })).toBe("next");
  expect(git("-C", origin, "for-each-ref", "--format=%(refname)")).toBe("refs/heads/next");
});

test("an origin that refuses the first push is a retryable fault with git's reason", async () => {
  const hook = join(origin, "hooks/pre-receive");
  writeFileSync(hook, "#!/bin/sh\necho 'protected branch hook declined' >&2; exit 1\n");
  chmodSync(hook, 0o755);
  await expect(beginEmptyOrigin({ url: origin })).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining("protected branch hook declined"),
  });
});
