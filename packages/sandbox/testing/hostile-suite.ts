import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processesOf } from "../../../test/support/leftovers.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import type { Sandbox, SandboxProvider, SandboxSpec } from "../src/sandbox.ts";

const MIB = 1024 ** 2;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes that this process still refers to. Its resident memory also holds garbage, the more the busier the machine is. */
function liveBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export interface ProviderPromises {
  readonly isolated: boolean;
  /** Its processes run on another machine, where this suite cannot look for them. */
  readonly elsewhere?: boolean;
  /** Its limits are held by measurements from time to time, which miss what a short program used. */
  readonly samples?: boolean;
}

/** The behaviour of every provider with malicious programs inside. */
export function describeHostileGuests(
  name: string,
  open: () => Promise<SandboxProvider>,
  promises: ProviderPromises,
): void {
  describe(name, () => {
    let provider: SandboxProvider;
    let host: string;
    const opened: Sandbox[] = [];
    const openOne = async (limits: SandboxSpec["limits"] = {}): Promise<Sandbox> => {
      const sandbox = await provider.open({ labels: { swarm: "suite", purpose: "hostile" }, limits });
      opened.push(sandbox);
      return sandbox;
    };
    const sh = (sandbox: Sandbox, script: string, timeoutMs = 20_000) =>
      sandbox.run(["sh", "-c", script], { timeoutMs });

    beforeAll(async () => {
      host = mkdtempSync(join(tmpdir(), "swarm-host-"));
      writeFileSync(join(host, "secret.txt"), "the host's secret");
      provider = await open();
    });
    afterAll(async () => {
      for (const sandbox of opened) await sandbox.terminate();
      rmSync(host, { recursive: true, force: true });
    });

    test("a flood of output is truncated with a marker, and memory does not grow", async () => {
      const sandbox = await openOne();
      const before = liveBytes();
      let peak = before;
      const watching = setInterval(() => (peak = Math.max(peak, liveBytes())), 100);
      // The pause gives the measurement a moment in which all output has arrived and nothing is returned yet.
      const { outputTail, exitCode } = await sh(
        sandbox,
        "yes 0123456789 | head -c 200000000; sleep 0.5; echo the end",
        50_000,
      );
      clearInterval(watching);
      expect(exitCode).toBe(0);
      expect(outputTail).toMatch(/^\[… 199\d{6} characters before this were dropped\]\n/);
      expect(outputTail).toMatch(/the end\n$/);
      expect((peak - before) / MIB).toBeLessThan(100);
    });

    test.runIf(!promises.elsewhere)(
      "terminate() kills programs that ignore signals, also in process groups of their own",
      async ({ skip }) => {
        skip(
          !promises.isolated && provider.unenforced.includes("pids"),
          "without isolation and control groups nothing finds processes in groups of their own",
        );
        const sandbox = await openOne();
        const mark = `swarm-mark-${sandbox.id}`;
        const stubborn = `trap "" TERM INT HUP; while :; do sleep 0.1; done`;
        const script = `sh -c '${stubborn}' ${mark} & setsid sh -c '${stubborn}' ${mark} & (setsid sh -c '${stubborn}' ${mark} &); echo started; ${stubborn}`;
        const child = sandbox.exec(["sh", "-c", script, mark]);
        await waitUntil("the start of all processes", 10_000, async () =>
          (await processesOf(mark)).length >= 4 ? true : null,
        );
        await sandbox.terminate();
        expect((await child.exit).code).not.toBe(0);
        expect(
          await waitUntil("the end of all processes", 10_000, async () =>
            (await processesOf(mark)).length === 0 ? 0 : null,
          ),
        ).toBe(0);
      },
    );

    test("a program that has exited does not delay its caller by processes that it left running", async () => {
      const sandbox = await openOne();
      const run = await sh(sandbox, "sleep 600 & setsid sleep 600 & exit 3", 500);
      // -1 where processes that it left running hold its output open until the timeout.
      expect([-1, 3]).toContain(run.exitCode);
      await sandbox.terminate();
    });

    test("the wall time kills everything inside", async () => {
      const sandbox = await openOne({ wallMs: 300 });
      const run = await sandbox.run(["sh", "-c", 'trap "" TERM; while :; do sleep 0.1; done']);
      expect(run.exitCode).toBe(-1);
    });

    test("a fork bomb is limited, and another sandbox still works", async ({ skip }) => {
      skip(provider.unenforced.includes("pids"), "this machine cannot limit processes");
      const [bomb, neighbour] = [await openOne({ pids: 32 }), await openOne()];
      const { outputTail } = await sh(
        bomb,
        "i=0; while [ $i -lt 200 ]; do sleep 60 >/dev/null 2>&1 & i=$((i+1)); echo started $i; done",
        3_000,
      );
      const started = Number(/started (\d+)\n(?!started)/.exec(outputTail)?.[1]);
      expect(started).toBeLessThan(32);
      expect((await sh(neighbour, "echo alive")).outputTail).toBe("alive\n");
    });

    test("a program beyond the memory limit is killed, and another sandbox still works", async ({ skip }) => {
      skip(provider.unenforced.includes("memoryBytes"), "this machine cannot limit memory");
      const [greedy, neighbour] = [await openOne({ memoryBytes: 192 * MIB }), await openOne()];
      const script = `const held = []; for (let i = 0; i < 600; i += 1) held.push(Buffer.alloc(1 << 20, 1)); console.log("unbounded");`;
      const run = await greedy.run(["node", "-e", script], { timeoutMs: 20_000 });
      expect(run.exitCode).not.toBe(0);
      expect(run.timedOut).toBe(false);
      expect(run.outputTail).not.toContain("unbounded");
      expect((await sh(neighbour, "echo alive")).outputTail).toBe("alive\n");
    });

    test("links to paths outside are not followed when a sandbox is removed", async () => {
      const sandbox = await openOne();
      await sh(
        sandbox,
        `ln -s ${host} to-host; ln -s / to-root; ln -s ../../../.. up; mkdir deep; ln -s ${host}/secret.txt deep/x`,
      );
      await sandbox.terminate();
      expect(readFileSync(join(host, "secret.txt"), "utf8")).toBe("the host's secret");
    });

    test("files whose names hold newlines, dashes and invalid bytes are removed", async () => {
      const sandbox = await openOne();
      const { exitCode } = await sh(
        sandbox,
        `touch -- -rf; touch "$(printf 'a\\nb')" "$(printf '\\377\\376')"; mkdir -p "$(printf 'd%.0s' $(seq 200))/e"; chmod 000 d*`,
      );
      expect(exitCode).toBe(0);
      await sandbox.terminate();
      expect((await provider.list()).map((one) => one.id)).not.toContain(sandbox.id);
    });

    test.runIf(promises.isolated)(
      "no file of the host is visible, also not through links or /proc",
      async () => {
        const sandbox = await openOne();
        const ways = [
          `cat ${host}/secret.txt`,
          `ln -s ${host}/secret.txt link; cat link`,
          `cat /proc/1/root${host}/secret.txt`,
          `cat /proc/self/root${host}/secret.txt`,
          `cat ../../../../../..${host}/secret.txt`,
        ];
        for (const way of ways)
          expect((await sh(sandbox, way)).outputTail).not.toContain("the host's secret");
        const { outputTail } = await sh(sandbox, "ls -A / /root /home /run /var /tmp /etc 2>/dev/null");
        for (const folder of readdirSync(tmpdir())) {
          if (folder.startsWith("swarm-")) expect(outputTail).not.toContain(folder);
        }
      },
    );

    test.runIf(promises.isolated)("the kernel's settings cannot be written", async () => {
      const sandbox = await openOne();
      for (const path of [
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname",
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/irq/default_smp_affinity",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
      ]) {
        // Only opened for writing, so that nothing changes where it succeeds.
        expect([path, (await sh(sandbox, `(exec 3>>${path})`)).exitCode]).not.toEqual([path, 0]);
      }
    });

    test.runIf(promises.isolated)("no name is resolved, and no address is reached", async () => {
      const sandbox = await openOne();
      const script = `
        const net = require("node:net"), dns = require("node:dns/promises"), dgram = require("node:dgram");
        const tcp = (port, host) => new Promise((done) => net.connect(port, host).on("connect", () => done("open")).on("error", (e) => done(e.code)));
        const udp = (host) => new Promise((done) => dgram.createSocket("udp4").send("x", 53, host, (e) => done(e ? e.code : "open")));
        (async () => {
          const results = [await tcp(80, "169.254.169.254"), await tcp(53, "1.1.1.1"), await tcp(80, "2606:4700:4700::1111"), await udp("1.1.1.1")];
          results.push(await dns.lookup("example.com").then(() => "open", (e) => e.code));
          console.log(results.join(" "));
          process.exit(0);
        })();`;
      const { outputTail, exitCode } = await sandbox.run(["node", "-e", script], { timeoutMs: 20_000 });
      expect(exitCode).toBe(0);
      expect(outputTail.trim().split(" ")).toHaveLength(5);
      expect(outputTail).not.toContain("open");
    });
  });
}
