import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processesOf } from "../../../../test/support/leftovers.ts";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { startFakeModal, type FakeModal } from "../../testing/fake-modal/start-fake-modal.ts";
import { openSandboxProvider } from "../open-sandbox.ts";
import type { Sandbox } from "../sandbox.ts";
import { openModalProvider, type ModalProviderOptions } from "./modal-provider.ts";

const RESOURCE_EXHAUSTED = 8;
const BLOCKED = 2;
const dir = mkdtempSync(join(tmpdir(), "swarm-modal-"));
let fake: FakeModal;
let homes = 0;
const opened: Sandbox[] = [];

beforeAll(async () => {
  fake = await startFakeModal();
  process.env["MODAL_SERVER_URL"] = fake.url;
});
afterAll(async () => {
  for (const sandbox of opened) await sandbox.terminate();
  await fake[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const newHome = () => join(dir, `home-${(homes += 1)}`);
async function openProvider(options: Partial<ModalProviderOptions> = {}) {
  const backOff = { firstMs: 5, longestMs: 20, withinMs: 2_000 };
  const fixed = { home: newHome(), swarm: "suite", settings: fake.settings, guest: null, backOff };
  const provider = await openModalProvider({ ...fixed, ...options });
  return {
    ...provider,
    async open(spec: Parameters<typeof provider.open>[0]) {
      const sandbox = await provider.open(spec);
      opened.push(sandbox);
      return sandbox;
    },
  };
}
const labels = { swarm: "suite", purpose: "test" };
const sh = async (sandbox: Sandbox, script: string) =>
  (await sandbox.run(["sh", "-c", script], { timeoutMs: 10_000 })).outputTail;
const callsOf = async (method: string) => (await fake.ask()).calls[method] ?? 0;

/** A folder as npm leaves it, and a file. */
function makeContent(name: string): { modules: string; file: string } {
  const modules = join(dir, name, "modules");
  mkdirSync(join(modules, "left-pad"), { recursive: true });
  mkdirSync(join(modules, ".bin"));
  writeFileSync(join(modules, "left-pad", "cli.js"), "console.log('padded')", { mode: 0o755 });
  symlinkSync("../left-pad/cli.js", join(modules, ".bin", "left-pad"));
  const file = join(dir, name, "agent.mjs");
  writeFileSync(file, `// ${name}\n`);
  return { modules, file };
}

test("list() finds the sandboxes of its own swarm only", async () => {
  const provider = await openProvider({ swarm: "labels" });
  const own = await provider.open({
    labels: { swarm: "labels", purpose: "agent", task: "t-7", attempt: "3" },
  });
  const foreign = await provider.open({ labels: { swarm: "another", purpose: "agent" } });
  expect(await provider.list()).toEqual([
    { id: own.id, orphaned: false, labels: { swarm: "labels", purpose: "agent", task: "t-7", attempt: "3" } },
  ]);
  await foreign.terminate();
});

test("requests a blocked network, the limits, and whole seconds", async () => {
  const provider = await openProvider();
  const limits = { cpus: 3, memoryBytes: 2 * 1024 ** 3, wallMs: 90_500 };
  await provider.open({ labels: { ...labels, task: "limits" }, limits });
  const { opened: all } = await fake.ask();
  expect(all.find((one) => one.tags["task"] === "limits")).toMatchObject({
    networkAccess: BLOCKED,
    milliCpu: 500,
    milliCpuMax: 1_500,
    memoryMb: 1_024,
    memoryMbMax: 2_048,
    timeoutSecs: 151,
  });
});

test("content without a key is copied into each sandbox, at its path", async () => {
  const provider = await openProvider();
  const { modules, file } = makeContent("plain");
  const mounts = [
    { from: modules, at: "node_modules" },
    { from: file, at: "deep/down/agent.mjs" },
  ];
  const before = await callsOf("TaskSnapshotFilesystem");
  const sandbox = await provider.open({ labels, mounts });
  expect(await sh(sandbox, "cat deep/down/agent.mjs; readlink node_modules/.bin/left-pad")).toBe(
    "// plain\n../left-pad/cli.js\n",
  );
  expect(await sh(sandbox, "left-pad 2>&1 || node node_modules/.bin/left-pad")).toContain("padded");
  expect(await callsOf("TaskSnapshotFilesystem")).toBe(before);
});

test("content with a key is copied once: later sandboxes start from its snapshot", async () => {
  const home = newHome();
  const { modules, file } = makeContent("lasting");
  const mounts = [
    { from: modules, at: "node_modules", key: "deps-1" },
    { from: file, at: "agent.mjs", key: "agent-1" },
  ];
  const before = await callsOf("TaskSnapshotFilesystem");
  const provider = await openProvider({ home });
  const together = await Promise.all([1, 2, 3].map(() => provider.open({ labels, mounts })));
  const later = await (await openProvider({ home })).open({ labels, mounts: mounts.toReversed() });
  for (const sandbox of [...together, later])
    expect(await sh(sandbox, "cat agent.mjs node_modules/left-pad/cli.js")).toBe(
      "// lasting\nconsole.log('padded')",
    );
  expect((await callsOf("TaskSnapshotFilesystem")) - before).toBe(1);
  expect(readdirSync(join(home, "modal"))).toHaveLength(1);

  // Other content gets a snapshot of its own.
  const other = [{ from: makeContent("newer").file, at: "agent.mjs", key: "agent-2" }];
  expect(await sh(await provider.open({ labels, mounts: other }), "cat agent.mjs")).toBe("// newer\n");
  expect((await callsOf("TaskSnapshotFilesystem")) - before).toBe(2);
  // The sandboxes in which the snapshots were made are terminated.
  expect((await provider.list()).filter((one) => one.labels.purpose === "fill")).toEqual([]);
});

test("a snapshot that Modal has deleted is made again", async () => {
  const home = newHome();
  const mounts = [{ from: makeContent("expiring").file, at: "agent.mjs", key: "agent-3" }];
  const provider = await openProvider({ home });
  const first = await provider.open({ labels, mounts });
  await first.terminate();
  const before = await callsOf("TaskSnapshotFilesystem");
  await fake.ask({ kind: "lose-images", base: false });
  for (const one of [provider, await openProvider({ home })])
    expect(await sh(await one.open({ labels, mounts }), "cat agent.mjs")).toBe("// expiring\n");
  expect((await callsOf("TaskSnapshotFilesystem")) - before).toBe(1);
});

test.runIf(process.getuid?.() === 0)(
  "programs run as an unprivileged user, who cannot change or remove copied files",
  async () => {
    const provider = await openProvider({ guest: { uid: 1_000, gid: 1_000 } });
    const { modules, file } = makeContent("guarded");
    const mounts = [
      { from: modules, at: "node_modules", key: "deps-2" },
      { from: file, at: "agent.mjs" },
    ];
    const sandbox = await provider.open({ labels, mounts });
    expect(
      await sh(
        sandbox,
        "id -u; id -G; cat agent.mjs; echo mine > own && cat own; touch $HOME/x && echo home",
      ),
    ).toBe("1000\n1000\n// guarded\nmine\nhome\n");
    for (const harm of [
      "echo x >> agent.mjs",
      "rm -f agent.mjs",
      "mv agent.mjs gone",
      "mv node_modules gone",
      "rm node_modules/.bin/left-pad",
      "echo x > node_modules/left-pad/cli.js",
      "touch node_modules/x",
    ]) {
      expect([harm, (await sandbox.run(["sh", "-c", harm])).exitCode]).not.toEqual([harm, 0]);
    }
    expect(
      await sh(sandbox, "cat agent.mjs; grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status"),
    ).toMatch(/^\/\/ guarded\nCapEff:\t0{16}\nNoNewPrivs:\t1\n$/);
  },
);

test("calls to a busy service are retried, and no program or sandbox is lost", async () => {
  const provider = await openProvider();
  for (const method of ["SandboxCreateV2", "TaskExecStart", "SandboxTerminateV2", "SandboxListV2"])
    await fake.ask({ kind: "refuse", method, times: 3, status: RESOURCE_EXHAUSTED });
  const before = await callsOf("SandboxCreateV2");
  const sandbox = await provider.open({ labels });
  expect((await callsOf("SandboxCreateV2")) - before).toBe(4);
  await fake.ask({ kind: "refuse", method: "TaskExecStart", times: 2, status: RESOURCE_EXHAUSTED });
  expect(await sh(sandbox, "echo done")).toBe("done\n");
  expect((await provider.list()).map((one) => one.id)).toContain(sandbox.id);
  await sandbox.terminate();
  expect((await provider.list()).map((one) => one.id)).not.toContain(sandbox.id);
});

test("a service that stays busy is unavailable, and a half-open sandbox is terminated", async () => {
  const provider = await openProvider({
    swarm: "busy",
    backOff: { firstMs: 1, longestMs: 5, withinMs: 50 },
  });
  const spec = { labels: { swarm: "busy", purpose: "test" } };
  for (const method of ["SandboxCreateV2", "TaskExecStart"]) {
    await fake.ask({ kind: "refuse", method, times: 10_000, status: RESOURCE_EXHAUSTED });
    await expect(provider.open(spec)).rejects.toMatchObject({ code: "sandbox.unavailable", retryable: true });
    await fake.ask({ kind: "refuse", method, times: 0, status: RESOURCE_EXHAUSTED });
  }
  expect(await provider.list()).toEqual([]);
});

test("a failed terminate() can be retried", async () => {
  const provider = await openProvider({ backOff: { firstMs: 1, longestMs: 5, withinMs: 50 } });
  const sandbox = await provider.open({ labels });
  const running = sandbox.exec(["sleep", "600"]);
  await fake.ask({
    kind: "refuse",
    method: "SandboxTerminateV2",
    times: 10_000,
    status: RESOURCE_EXHAUSTED,
  });
  await expect(sandbox.terminate()).rejects.toMatchObject({ code: "sandbox.unavailable" });
  await fake.ask({ kind: "refuse", method: "SandboxTerminateV2", times: 0, status: RESOURCE_EXHAUSTED });
  await sandbox.terminate();
  expect(await running.exit).toMatchObject({ code: null });
  expect((await provider.list()).map((one) => one.id)).not.toContain(sandbox.id);
});

test("a missing or wrong token is an error that names the settings", async () => {
  const { settings } = fake;
  const openBy = (change: object) =>
    openSandboxProvider({
      home: newHome(),
      swarm: "suite",
      settings: {
        SANDBOX_PROVIDER: "modal",
        ALLOW_UNISOLATED: false,
        ALLOW_UNLIMITED: false,
        MODEL_RECORDED: false,
        ...settings,
        ...change,
      },
    });
  await expect(openBy({ MODAL_TOKEN_ID: undefined, MODAL_TOKEN_SECRET: undefined })).rejects.toThrow(
    /MODAL_TOKEN_ID and MODAL_TOKEN_SECRET/,
  );
  await expect(openBy({ MODAL_TOKEN_SECRET: undefined })).rejects.toThrow(/needs MODAL_TOKEN_SECRET:/);
  await expect(openBy({ MODAL_TOKEN_SECRET: "as-wrong" })).rejects.toMatchObject({
    code: "config.invalid",
    message: expect.stringContaining("Modal refuses MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"),
  });
});

test("a killed program is gone with everything it started, and its sandbox still works", async () => {
  const sandbox = await (await openProvider()).open({ labels });
  const mark = `swarm-kill-${sandbox.id}`;
  const script = `trap "" TERM; sleep 600 & sh -c 'trap "" TERM; while :; do sleep 0.1; done' ${mark} & while :; do sleep 0.1; done`;
  const child = sandbox.exec(["sh", "-c", script, mark]);
  await waitUntil("the start of both processes", 10_000, async () =>
    (await processesOf(mark)).length >= 2 ? true : null,
  );
  child.kill();
  expect(await child.exit).toEqual({ code: null, signal: "SIGKILL", timedOut: false });
  expect(await processesOf(mark)).toEqual([]);
  expect(await sh(sandbox, "echo alive")).toBe("alive\n");
});

test("a program is lost, not failed, when another process terminates its sandbox", async () => {
  const provider = await openProvider();
  const sandbox = await provider.open({ labels });
  const running = expect(sandbox.run(["sh", "-c", "echo begun > sign; sleep 600"])).rejects.toMatchObject({
    code: "sandbox.died",
    retryable: true,
  });
  await waitUntil("the start of the program", 10_000, async () =>
    (await sh(sandbox, "cat sign")) === "begun\n" ? true : null,
  );
  await (await openProvider()).terminate(sandbox.id);
  await running;
  await sandbox.terminate();
  await provider.terminate(sandbox.id);
  expect((await provider.list()).map((one) => one.id)).not.toContain(sandbox.id);
});

test("bytes pass unchanged, many at once, and figures count them", async () => {
  const sandbox = await (await openProvider()).open({ labels });
  const sent = Buffer.alloc(
    9 * 1024 ** 2 + 7,
    Uint8Array.from({ length: 256 }, (_, at) => at),
  );
  const child = sandbox.exec(["cat"]);
  child.stdin.end(sent);
  const received = Buffer.concat(await child.stdout.toArray());
  expect(received.equals(sent)).toBe(true);
  expect(await child.exit).toMatchObject({ code: 0 });
  await sandbox.terminate();
  const figures = await sandbox.figures();
  expect([figures.bytesIn, figures.bytesOut]).toEqual([sent.length, sent.length]);
  expect(figures.costUsd).toBeGreaterThan(0);
  expect(await sandbox.figures()).toEqual(figures);
});
