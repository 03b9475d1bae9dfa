import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { describeProcess } from "@agentswarm/sandbox";
import { waitForTurn } from "./wait-for-turn.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-turn-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("one after another, however many ask at once, and nothing is left", async () => {
  const file = join(dir, "many.lock");
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      await using _turn = await waitForTurn(file);
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((done) => setImmediate(done));
      inside -= 1;
    }),
  );
  expect(most).toBe(1);
  expect(readdirSync(dir)).toEqual([]);
});

const { pid, startedTicks } = describeProcess(process.pid);
test.each([
  ["a process that is gone", JSON.stringify({ pid: 2 ** 22 + 1, startedTicks: 1 })],
  ["an earlier process of this one's number", JSON.stringify({ pid, startedTicks: (startedTicks ?? 0) - 1 })],
  ["nobody knows whom", ""],
  ["a number alone", String(pid)],
])("what was left by %s is taken over", async (_, content) => {
  const file = join(dir, "left.lock");
  writeFileSync(file, content);
  {
    await using _turn = await waitForTurn(file);
    expect(existsSync(file)).toBe(true);
  }
  expect(existsSync(file)).toBe(false);
});

test("a lock that another host's process holds is waited for", async () => {
  const file = join(dir, "other-host.lock");
  writeFileSync(file, JSON.stringify({ host: "another", pid: 2 ** 22 + 1, startedTicks: 1 }));
  let taken = false;
  const turn = waitForTurn(file).then((lock) => {
    taken = true;
    return lock;
  });
  await sleep(300);
  expect(taken).toBe(false);
  rmSync(file);
  await (await turn)[Symbol.asyncDispose]();
});
