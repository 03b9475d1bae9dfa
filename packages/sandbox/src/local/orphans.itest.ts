import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { processesOf } from "../../../../test/support/leftovers.ts";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { describeProcess } from "@agentswarm/contracts/node";
import { reapOrphans } from "../reap-orphans.ts";
import type { SandboxInfo } from "../sandbox.ts";
import { openLocalProvider } from "./local-provider.ts";

const home = mkdtempSync(join(tmpdir(), "swarm-orphans-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Opens a sandbox in a process of its own, starts an endless program in it, and prints the id of the sandbox. */
const OWNER = `
  const { openLocalProvider } = await import(${JSON.stringify(join(import.meta.dirname, "local-provider.ts"))});
  const options = JSON.parse(process.argv[1]);
  const provider = await openLocalProvider(options);
  const sandbox = await provider.open({ labels: { swarm: options.swarm, purpose: "test", task: "t-1" } });
  const child = sandbox.exec(["sh", "-c", 'trap "" TERM HUP; echo started; while :; do sleep 0.1; done', sandbox.id]);
  child.stdout.once("data", () => console.log(sandbox.id));`;

test.for([{ withoutBubblewrap: false }, { withoutBubblewrap: true }])(
  "a sandbox whose owner was killed is found, terminated and removed (%o)",
  async ({ withoutBubblewrap }, { skip }) => {
    const swarm = withoutBubblewrap ? "plain" : "bubble";
    const tools = process.env["SWARM_TOOLS"];
    const options = { home, swarm, allowUnisolated: true, withoutBubblewrap, ...(tools ? { tools } : {}) };
    const provider = await openLocalProvider(options);
    skip(!withoutBubblewrap && provider.isolation === "none", "bubblewrap does not work here");
    skip(
      withoutBubblewrap && provider.unenforced.includes("pids"),
      "without control groups nothing finds its processes",
    );
    const args = ["--input-type=module", "-e", OWNER, JSON.stringify(options)];
    const owner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [output] = (await once(owner.stdout, "data")) as [Buffer];
    const id = output.toString().trim();

    // It is not orphaned while its owner runs.
    await reapOrphans(provider, () => expect.unreachable());
    expect(await provider.list()).toMatchObject([{ id, orphaned: false, labels: { task: "t-1" } }]);
    owner.kill("SIGKILL");
    await once(owner, "exit");

    const reaped: SandboxInfo[] = [];
    await reapOrphans(provider, (sandbox) => reaped.push(sandbox));
    expect(reaped).toMatchObject([{ id, orphaned: true }]);
    expect(await provider.list()).toEqual([]);
    expect(readdirSync(join(home, "sandboxes"))).toEqual([]);
    await waitUntil("its processes' end", 10_000, async () =>
      (await processesOf(id)).length === 0 ? true : null,
    );
    for (const group of ["pids", "memory", "cpu", "."])
      expect(existsSync(join("/sys/fs/cgroup", group, `swarm-${id}`))).toBe(false);
  },
);

test("a sandbox of another host's process is kept until an hour after its wall time", async () => {
  const root = join(home, "sandboxes");
  const provider = await openLocalProvider({ home, swarm: "shared", allowUnisolated: true });
  // No process of this host has the pid.
  const owner = { ...describeProcess(2 ** 22 + 1), host: "another" };
  const record = { labels: { swarm: "shared", purpose: "test" }, owner };
  const write = (id: string, endedMsAgo: number) =>
    writeFileSync(join(root, `${id}.json`), JSON.stringify({ ...record, endsAt: Date.now() - endedMsAgo }));
  write("shared-kept", 1_800_000);
  write("shared-over", 7_200_000);
  const reaped: string[] = [];
  await reapOrphans(provider, (sandbox) => reaped.push(sandbox.id));
  expect(reaped).toEqual(["shared-over"]);
  expect(await provider.list()).toMatchObject([{ id: "shared-kept", orphaned: false }]);
  await provider.terminate("shared-kept");
});
