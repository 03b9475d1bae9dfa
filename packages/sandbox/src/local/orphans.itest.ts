import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { processesOf } from "../../../../test/support/leftovers.ts";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { reapOrphans } from "../reap-orphans.ts";
import type { SandboxInfo } from "../sandbox.ts";
import { openLocalProvider } from "./local-provider.ts";

const home = mkdtempSync(join(tmpdir(), "swarm-orphans-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Opens a sandbox as a process of its own, starts something endless in it, and says the sandbox's id. */
const OWNER = `
  const { openLocalProvider } = await import(${JSON.stringify(join(import.meta.dirname, "local-provider.ts"))});
  const options = JSON.parse(process.argv[1]);
  const provider = await openLocalProvider(options);
  const sandbox = await provider.open({ labels: { swarm: options.swarm, purpose: "test", task: "t-1" } });
  const child = sandbox.exec(["sh", "-c", 'trap "" TERM HUP; echo begun; while :; do sleep 0.1; done', sandbox.id]);
  child.stdout.once("data", () => console.log(sandbox.id));`;

test.for([{ withoutBubblewrap: false }, { withoutBubblewrap: true }])(
  "what an owner that was killed left behind is found, ended and removed (%o)",
  async ({ withoutBubblewrap }, { skip }) => {
    const swarm = withoutBubblewrap ? "plain" : "bubble";
    const tools = process.env["SWARM_TOOLS"];
    const options = { home, swarm, allowUnisolated: true, withoutBubblewrap, ...(tools ? { tools } : {}) };
    const provider = await openLocalProvider(options);
    skip(!withoutBubblewrap && provider.isolation === "none", "bubblewrap does not work here");
    skip(
      withoutBubblewrap && provider.unenforced.includes("pids"),
      "without control groups nothing finds it",
    );
    const args = ["--input-type=module", "-e", OWNER, JSON.stringify(options)];
    const owner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(owner.stdout, "data")) as [Buffer];
    const id = said.toString().trim();

    // While its owner lives it is nobody else's.
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
