import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeHostileGuests, type ProviderPromises } from "./hostile-suite.ts";
import { processesOf } from "../../../test/support/leftovers.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openDoor, type Sandbox, type SandboxProvider } from "../src/index.ts";

/** The contract of every provider. */
export function describeProvider(
  name: string,
  open: () => Promise<SandboxProvider>,
  promises: ProviderPromises,
): void {
  describe(name, () => {
    let provider: SandboxProvider;
    let sandbox: Sandbox;
    let neighbour: ChildProcess;
    const sh = (script: string, timeoutMs = 10_000) => sandbox.run(["sh", "-c", script], { timeoutMs });

    beforeAll(async () => {
      process.env["SWARM_CANARY"] = "canary-4711";
      // A variable that this process sets does not appear in its own /proc entry, but in that of a process it starts.
      neighbour = spawn("sleep", ["600"], { stdio: "ignore" });
      provider = await open();
      sandbox = await provider.open({
        labels: { swarm: "suite", purpose: "test", task: "t-1", attempt: "1" },
      });
    });
    afterAll(async () => {
      await sandbox.terminate();
      neighbour.kill("SIGKILL");
      delete process.env["SWARM_CANARY"];
    });

    describe("open()", () => {
      test("makes mounts visible: files and folders, with and without a key", async () => {
        const from = mkdtempSync(join(tmpdir(), "swarm-mounts-"));
        mkdirSync(join(from, "modules/deep/er"), { recursive: true });
        writeFileSync(join(from, "modules/deep/er/run"), "#!/bin/sh\necho ran", { mode: 0o755 });
        symlinkSync("deep/er/run", join(from, "modules/link"));
        writeFileSync(join(from, "file"), "the content");
        writeFileSync(join(from, "empty"), "");
        const key = `suite-${process.pid}-${randomUUID()}`;
        const mounts = [
          { from: join(from, "modules"), at: "kept-modules", key: `${key}-modules` },
          { from: join(from, "modules"), at: "modules" },
          { from: join(from, "file"), at: "kept-file", key: `${key}-file` },
          { from: join(from, "file"), at: "file" },
          { from: join(from, "empty"), at: "empty" },
        ];
        const labels = { swarm: "suite", purpose: "test" };
        const two = await Promise.all([provider.open({ labels, mounts }), provider.open({ labels, mounts })]);
        const script = "kept-modules/link; modules/deep/er/run; cat kept-file file empty";
        const attack = mounts.map(({ at }) => `(rm -rf ${at} || mv ${at} x; echo changed > ${at}) 2>&1`);
        const deeper = "echo changed > kept-modules/deep/er/run; rm -f modules/link; chmod -R +w .";
        for (const one of two) {
          const run = () => one.run(["sh", "-c", script], { timeoutMs: 10_000 });
          expect((await run()).outputTail).toBe("ran\nran\nthe contentthe content");
          if (!promises.isolated) continue;
          await one.run(["sh", "-c", [...attack, deeper].join("; ")], { timeoutMs: 10_000 });
          expect((await run()).outputTail).toBe("ran\nran\nthe contentthe content");
        }
        for (const one of two) await one.terminate();
        rmSync(from, { recursive: true });
      });
    });

    describe("exec()", () => {
      test("kill() kills a program with everything it started, and nothing of another program", async () => {
        const beat = (file: string) =>
          `sh -c 'trap "" TERM INT HUP; while :; do echo x >> beats-$0; sleep 0.1; done' ${file}`;
        const start = (mark: string) => {
          // Only a provider that isolates finds a process that left the program's process group.
          const away = promises.isolated ? `(setsid ${beat(`${mark}-away`)} &)` : `${beat(`${mark}-away`)} &`;
          return sandbox.exec(["sh", "-c", `${beat(mark)} & ${away}\ntrap "" TERM; ${beat(mark)}`]);
        };
        const beats = async (mark: string) =>
          Number((await sh(`cat beats-${mark}-away 2>/dev/null | wc -l`)).outputTail);
        const more = (mark: string, than: number) =>
          waitUntil("a beat", 10_000, async () => ((await beats(mark)) > than ? true : null));
        const [one, other] = [`${sandbox.id}-killed`, `${sandbox.id}-spared`];
        const [killed, spared] = [start(one), start(other)];
        await more(one, 0);
        await more(other, 0);
        killed.kill();
        expect(await killed.exit).toMatchObject({ code: null, timedOut: false });
        await waitUntil("the end of its processes", 10_000, async () =>
          (await processesOf(one)).length === 0 ? true : null,
        );
        await more(other, await beats(other));
        spared.kill();
        await spared.exit;
      });

      test("passes no environment variable of this process on", async () => {
        expect((await sh("env")).outputTail).not.toContain("canary-4711");
      });

      test("a door can be opened over the streams of a program: HTTP/2", async () => {
        const script = `
        const http2 = require("node:http2"), { Duplex } = require("node:stream");
        const session = http2.connect("http://door", { createConnection: () =>
          Duplex.from({ readable: process.stdin, writable: process.stdout }) });
        const stream = session.request({ ":path": "/hello" });
        stream.on("data", () => {}); stream.on("end", () => process.exit(0));`;
        const child = sandbox.exec(["node", "-e", script]);
        const requested: string[] = [];
        const door = openDoor(child, (stream, headers) => {
          requested.push(String(headers[":path"]));
          stream.respond({ ":status": 200 });
          stream.end("hello");
        });
        expect((await child.exit).code).toBe(0);
        door.close();
        expect(requested).toEqual(["/hello"]);
      });
    });

    describe("run()", () => {
      test("runs programs in the work folder, with the toolchain in PATH", async () => {
        const run = await sandbox.run(["sh", "-c", "pwd && node -p 1+1 && git --version"]);
        expect(run).toMatchObject({ exitCode: 0, timedOut: false });
        expect(run.outputTail).toContain(`${sandbox.workDir}\n2\ngit version`);
      });

      test("returns the exit code and the end of a long output", async () => {
        expect((await sh("exit 7")).exitCode).toBe(7);
        const { outputTail } = await sh("yes 0123456789 | head -n 100000; echo the end");
        expect(outputTail.length).toBeLessThan(8_200);
        expect(outputTail).toContain("the end");
      });

      test("kills a program after timeoutMs, also when it ignores signals", async () => {
        const run = await sh('trap "" TERM INT; while :; do sleep 0.1; done', 300);
        expect(run).toMatchObject({ exitCode: -1, timedOut: true });
      });
    });

    describe("label()", () => {
      test("replaces the labels, where the provider can", async ({ skip }) => {
        const other = await provider.open({ labels: { swarm: "suite", purpose: "pool" } });
        try {
          if (other.label === undefined) return skip("this provider cannot replace labels");
          const labels = { swarm: "suite", purpose: "agent", task: "t-2", attempt: "3" };
          await other.label(labels);
          const listed = (await provider.list()).filter((one) => one.id === other.id);
          expect(listed).toEqual([{ id: other.id, labels, orphaned: false }]);
        } finally {
          await other.terminate();
        }
        await expect(other.label({ swarm: "suite", purpose: "late" })).rejects.toThrow();
        expect((await provider.list()).map((one) => one.id)).not.toContain(other.id);
      });
    });

    describe("list() and terminate()", () => {
      test("an open sandbox is listed, and a terminated one is not; terminate may be called twice", async () => {
        const other = await provider.open({ labels: { swarm: "suite", purpose: "test" } });
        const running = other.exec(["sh", "-c", "sleep 60"]);
        expect((await provider.list()).map((one) => one.id)).toContain(other.id);
        await other.terminate();
        await other.terminate();
        expect((await running.exit).code).not.toBe(0);
        expect((await provider.list()).map((one) => one.id)).not.toContain(other.id);
      });
    });

    describe("figures()", () => {
      test("counts time, CPU time, memory, and bytes in and out", async () => {
        const other = await provider.open({ labels: { swarm: "suite", purpose: "test" } });
        const script = "while (process.cpuUsage().user < 150_000); process.stdin.pipe(process.stdout)";
        const child = other.exec(["node", "-e", script]);
        child.stdin.end("x".repeat(100_000));
        child.stdout.resume();
        await child.exit;
        await other.terminate();
        const figures = await other.figures();
        expect(figures.readyMs).toBeGreaterThan(0);
        expect(figures.bytesIn).toBeGreaterThanOrEqual(100_000);
        expect(figures.bytesOut).toBeGreaterThanOrEqual(100_000);
        expect(figures.costUsd).toBeGreaterThanOrEqual(0);
        if (promises.samples) return;
        if (!provider.unenforced.includes("cpus")) expect(figures.cpuMs).toBeGreaterThan(100);
        if (!provider.unenforced.includes("memoryBytes"))
          expect(figures.memoryPeakBytes).toBeGreaterThan(10 * 1024 ** 2);
      });
    });

    describe.runIf(promises.isolated)("isolation", () => {
      test("no network is reached, not even the host's loopback", async () => {
        const server = createServer((socket) => socket.end("secret")).listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        const { port } = server.address() as AddressInfo;
        const script = `require("node:net").connect(${port}, "127.0.0.1").on("data", (d) => { console.log(String(d)); process.exit(0); }).on("error", () => process.exit(9));`;
        const run = await sandbox.run(["node", "-e", script], { timeoutMs: 10_000 });
        server.close();
        expect(run.exitCode).toBe(9);
        expect((await sh("ls /sys/class/net 2>/dev/null; cat /proc/net/dev")).outputTail).not.toMatch(
          /eth|ens|wlan/,
        );
      });

      test("no process outside is visible, nor its environment", async () => {
        const { outputTail } = await sh(
          "cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; ls /proc | grep -c '^[0-9]'",
        );
        expect(outputTail).not.toContain("canary-4711");
        expect(Number(outputTail.trim().split("\n").at(-1))).toBeLessThan(10);
        for (const pid of [process.pid, neighbour.pid])
          expect((await sh(`kill -0 ${pid}`)).exitCode).not.toBe(0);
      });

      test("no path outside the work folder is writable, and no mount or privilege is gained", async () => {
        for (const path of ["/usr/x", "/etc/x", "/x", "/opt/swarm/x", "$(command -v node)"]) {
          expect((await sh(`echo x > "${path}"`)).exitCode).not.toBe(0);
        }
        expect((await sh("unshare -U true")).exitCode).not.toBe(0);
        expect((await sh("mount -t tmpfs none /mnt")).exitCode).not.toBe(0);
        expect((await sh("test -e /var/run/docker.sock")).exitCode).not.toBe(0);
        expect((await sh("cat /etc/shadow")).exitCode).not.toBe(0);
        const host = await readFile("/etc/hostname", "utf8").catch(() => "no such host");
        expect((await sh("hostname")).outputTail).not.toBe(host);
      });
    });
  });
  describeHostileGuests(`${name}, with hostile guests`, open, promises);
}
