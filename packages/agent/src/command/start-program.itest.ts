import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processesOf } from "../../../../test/support/leftovers.ts";
import { startProgram, type ProgramOptions } from "./start-program.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-command-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const PATH = process.env["PATH"] ?? "";

function start(options: Partial<ProgramOptions>) {
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  return { lines, ...startProgram({ argv: [], cwd: dir, env: { PATH }, stdin: "", onLine, ...options }) };
}
const shell = (script: string, options: Partial<ProgramOptions> = {}) =>
  start({ argv: ["sh", "-c", script], ...options });

test("a program gets its input and environment, and its output arrives line by line", async () => {
  const { lines, ended } = shell("cat; env | grep -c .; printf 'last without end'; echo oh >&2; exit 3", {
    stdin: "one\ntwo\n",
    env: { PATH, ONLY: "this" },
  });
  expect(await ended).toEqual({ code: 3, signal: null, notStarted: null, stderrTail: "oh\n" });
  // PATH, ONLY, and the shell's own PWD.
  expect(lines).toEqual(["one", "two", "3", "last without end"]);
});

test("a program that cannot be started gives the error code", async () => {
  writeFileSync(join(dir, "no-program"), "text", { mode: 0o644 });
  expect(await start({ argv: ["no-such-agent"] }).ended).toMatchObject({ code: null, notStarted: "ENOENT" });
  expect(await start({ argv: [join(dir, "no-program")] }).ended).toMatchObject({ notStarted: "EACCES" });
  expect(await start({ argv: ["true", "x".repeat(200_000)] }).ended).toMatchObject({ notStarted: "E2BIG" });
});

test("a program need not read its input", async () => {
  expect(await shell("exit 0", { stdin: "x".repeat(5_000_000) }).ended).toMatchObject({ code: 0 });
});

test("an overlong line is truncated, and the next line is whole", async () => {
  const { lines, ended } = shell("head -c 20000000 /dev/zero | tr '\\0' x; echo; echo next");
  await ended;
  expect(lines.map((line) => line.length)).toEqual([1_000_000, 4]);
});

test("a kill ends the whole process group", async () => {
  const running = shell(`trap "" TERM; sh -c 'sleep 600; : ${dir}' & echo begun; sleep 600; : ${dir}`, {
    onLine: () => running.kill(),
  });
  expect(await running.ended).toMatchObject({ code: null, signal: "SIGKILL" });
  expect(await processesOf(`: ${dir}`)).toEqual([]);
});

test("a daemon that left the process group and holds the output open does not delay the end", async () => {
  const pidFile = join(dir, "daemon.pid");
  const { ended } = shell(
    `setsid sh -c 'echo $$ > ${pidFile}; exec sleep 600' & while ! test -s ${pidFile}; do sleep 0.01; done`,
  );
  expect(await ended).toMatchObject({ code: 0 });
  process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
});
