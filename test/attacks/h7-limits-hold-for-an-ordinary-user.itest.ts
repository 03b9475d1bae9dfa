import { expect, test, type TestContext } from "vitest";
import { runAsOrdinaryUser, type Attacked } from "../support/run-as-user.ts";

const MIB = 1024 ** 2;
const SECONDS = 8_000;

async function attack<T = Attacked>(program: string, { skip }: Pick<TestContext, "skip">): Promise<T> {
  const ran = await runAsOrdinaryUser<T>(program);
  if (typeof ran === "string") return skip(`no ordinary user can open a sandbox here: ${ran}`);
  return ran.result;
}

test("every limit is enforced", async (context) => {
  const unenforced = await attack<string[]>("provider.unenforced", context);
  expect(unenforced).toEqual([]);
});

test("a program that starts processes without end is ended at the limit of processes", async (context) => {
  const script = `
    const { spawn } = require("node:child_process");
    let started = 0;
    setInterval(() => { try { spawn("sleep", ["60"]).on("spawn", () => console.log(++started)).on("error", () => {}); } catch {} }, 5);`;
  const program = `await attack({ pids: 40 }, ["node", "-e", ${JSON.stringify(script)}])`;
  const { reached, tookMs, timedOut, outputTail } = await attack(program, context);
  expect({ reached, timedOut }).toEqual({ reached: "pids", timedOut: false });
  expect(Number(outputTail.trim().split("\n").at(-1))).toBeLessThan(40);
  expect(tookMs).toBeLessThan(SECONDS);
});

test("processes that take too much memory together are ended", async (context) => {
  const one = "const held = Buffer.alloc(90 * 2 ** 20, 1); setInterval(() => held[0], 1_000);";
  const script = `for i in 1 2 3 4; do node -e '${one}' & done; wait; echo unbounded`;
  const program = `await attack({ memoryBytes: ${256 * MIB} }, ["sh", "-c", ${JSON.stringify(script)}])`;
  const { reached, tookMs, outputTail } = await attack(program, context);
  expect(reached).toBe("memoryBytes");
  expect(outputTail).not.toContain("unbounded");
  expect(tookMs).toBeLessThan(SECONDS);
});

test("files in memory count as memory, and have a size limit", async (context) => {
  const script =
    "for d in /tmp /run /dev/shm; do head -c 90M /dev/zero > $d/x; done; sleep 10; echo unbounded";
  const program = `await attack({ memoryBytes: ${128 * MIB} }, ["sh", "-c", ${JSON.stringify(script)}])`;
  expect((await attack(program, context)).reached).toBe("memoryBytes");
  const refused = `await attack({}, ["sh", "-c", "exec 2>&1; echo x > /dev/x"])`;
  expect((await attack(refused, context)).outputTail).toMatch(/Read-only file system/);
});

test("a program keeps to its processors", async (context) => {
  const script = `taskset -c 0-999 true 2>/dev/null; node -p 'os.availableParallelism()'`;
  const program = `await attack({ cpus: 1 }, ["sh", "-c", ${JSON.stringify(script)}])`;
  expect((await attack(program, context)).outputTail).toBe("1\n");
});

test("honest work is not disturbed", async (context) => {
  const one = "const held = Buffer.alloc(20 * 2 ** 20, 1); setTimeout(() => held[0], 1_500);";
  const script = `git init -q . && npm --version >/dev/null && for i in 1 2 3 4 5; do node -e '${one}' & done; wait; echo done`;
  const program = `await attack({}, ["sh", "-c", ${JSON.stringify(script)}], 30_000)`;
  expect(await attack(program, context)).toMatchObject({ reached: null, exitCode: 0, outputTail: "done\n" });
});
