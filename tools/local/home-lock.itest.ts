import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { describeProcess } from "@agentswarm/contracts/node";
import { lockHome } from "./home-lock.ts";

const home = mkdtempSync(join(tmpdir(), "swarm-home-"));
afterAll(() => rmSync(home, { recursive: true }));
const lockedBy = (owner: unknown) => writeFileSync(join(home, "supervisor.pid"), JSON.stringify(owner));

test("a home is refused while the process that locked it runs", async () => {
  const parent = describeProcess(process.ppid);
  lockedBy(parent);
  await expect(lockHome(home)).rejects.toThrow(`in use by process ${parent.pid}`);
  lockedBy(parent.pid);
  await expect(lockHome(home)).rejects.toThrow(`in use by process ${parent.pid}`);
});

test("the lock of another process with the same pid is taken over", async () => {
  const parent = describeProcess(process.ppid);
  lockedBy({ ...parent, startedTicks: (parent.startedTicks ?? 0) - 1 });
  const release = await lockHome(home);
  await release();
});

test("the lock of a process on another host is refused, whether this host has its pid or not", async () => {
  lockedBy({ ...describeProcess(2 ** 22 + 1), host: "another" });
  await expect(lockHome(home)).rejects.toThrow(/host another.*remove .*supervisor\.pid/);
});
