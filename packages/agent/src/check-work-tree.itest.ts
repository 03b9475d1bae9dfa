import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processesOf } from "../../../test/support/leftovers.ts";
import { checkWorkTree } from "./check-work-tree.ts";

let dir: string;
let repo: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-checks-"));
  repo = join(dir, "repo");
  mkdirSync(join(repo, "node_modules/.bin"), { recursive: true });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const check = (command: string, timeoutMs = 10_000) => ({ name: "check", command, timeoutMs });

test("checks run in order in the work tree, and each result has exit code and output", async () => {
  const results = await checkWorkTree(
    [check("pwd > first.txt; echo out; echo err >&2"), check("cat first.txt; exit 7")],
    repo,
  );
  expect(results).toMatchObject([
    { name: "check", exitCode: 0, outputTail: expect.stringMatching(/out\n/) },
    { exitCode: 7, outputTail: `${repo}\n` },
  ]);
  expect(results[0]?.outputTail).toContain("err");
});

test("the checks after a failed one run too", async () => {
  const results = await checkWorkTree([check("false"), check("no-such-program"), check("true")], repo);
  expect(results.map((result) => result.exitCode)).toEqual([1, 127, 0]);
});

test("the target's own tools are in PATH, and CI is set", async () => {
  writeFileSync(join(repo, "node_modules/.bin/own-tool"), "#!/bin/sh\necho own $CI $NO_COLOR\n", {
    mode: 0o755,
  });
  const [result] = await checkWorkTree([check("own-tool")], repo);
  expect(result).toMatchObject({ exitCode: 0, outputTail: "own true 1\n" });
});

test("only the end of a long output is kept, in whole characters", async () => {
  const [result] = await checkWorkTree([check("yes äöü | head -n 2000000; echo the end")], repo);
  expect(result?.outputTail).toHaveLength(8_000);
  expect(result?.outputTail).toMatch(/äöü\nthe end\n$/);
  expect(result?.outputTail).not.toContain("\uFFFD");
});

test("a check over its time limit is killed with its whole process group, even if it ignores SIGTERM", async () => {
  const [result] = await checkWorkTree(
    [
      check(
        `trap "" TERM INT; echo begun; sh -c 'trap "" TERM; sleep 600; : ${dir}' & sleep 600; : ${dir}`,
        300,
      ),
    ],
    repo,
  );
  expect(result).toMatchObject({ exitCode: -1, outputTail: "begun\n" });
  expect(await processesOf(dir)).toEqual([]);
});

test("a daemon that left the process group and holds the output open does not delay the runner", async () => {
  const pidFile = join(dir, "daemon.pid");
  const [result] = await checkWorkTree(
    [
      check(
        `setsid sh -c 'echo $$ > ${pidFile}; exec sleep 600' & while ! test -s ${pidFile}; do sleep 0.01; done`,
        500,
      ),
    ],
    repo,
  );
  process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
  expect(result?.exitCode).toBe(-1);
});
