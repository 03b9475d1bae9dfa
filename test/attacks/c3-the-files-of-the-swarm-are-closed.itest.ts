import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startApi } from "../../services/api/testing/start-api.ts";
import { lockHome } from "../../tools/local/home-lock.ts";
import { openLogs } from "../../tools/local/logs.ts";
import { openTranscript } from "../../services/dispatcher/src/transcript.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-attack-files-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const forOthers = (path: string) => statSync(path).mode & 0o077;

test("the supervisor closes SWARM_HOME to other users, one that was open as well", async () => {
  for (const [name, isThere] of [
    ["new", false],
    ["open", true],
  ] as const) {
    const home = join(dir, name);
    if (isThere) mkdirSync(home);
    if (isThere) chmodSync(home, 0o755);
    const unlock = await lockHome(home);
    expect(forOthers(home)).toBe(0);
    await unlock();
  }
});

test("a service that is started by itself closes SWARM_HOME", async () => {
  const home = join(dir, "service");
  mkdirSync(home);
  chmodSync(home, 0o755);
  await using _api = await startApi({ SWARM_HOME: home });
  expect(forOthers(home)).toBe(0);
});

test("transcripts and logs are for their owner alone", async () => {
  const file = join(dir, "transcripts", "a.jsonl");
  await using transcript = await openTranscript(file, (error) => expect.unreachable(error.message));
  await transcript.append(Buffer.from("{}\n"));
  await transcript[Symbol.asyncDispose]();
  expect(forOthers(file)).toBe(0);
  const logs = openLogs(join(dir, "logs"));
  logs.of("planner")(Buffer.from("a line\n"));
  await logs.close();
  expect(forOthers(join(dir, "logs", "planner.log"))).toBe(0);
});
