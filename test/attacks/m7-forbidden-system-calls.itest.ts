import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "@agentswarm/sandbox";
import { openDockerProvider } from "../../packages/sandbox/src/docker/docker-provider.ts";
import { openLocalProvider } from "../../packages/sandbox/src/local/local-provider.ts";
import { filterMachine } from "../../packages/sandbox/src/seccomp/profile.ts";
import { syscallNumber, type Syscall } from "../../packages/sandbox/src/seccomp/syscalls.ts";
import { findDocker } from "../support/docker-image.ts";

const machine = filterMachine();
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
const AF_VSOCK = 40;

/** Returns the error number of a system call in a sandbox; 0 when it succeeds. Perl is in every Debian. */
async function call(sandbox: Sandbox, name: Syscall, ...args: number[]): Promise<number> {
  const number = syscallNumber(name, machine ?? "x64");
  // A page of zeros is a valid structure for all calls that are tried.
  const program = `my $page = "\\0" x 4096; my @a = map { $_ == -7 ? $page : $_ } (${args.join(", ")}); my $r = syscall(${number}, @a); print $r == -1 ? $! + 0 : 0;`;
  const { outputTail } = await sandbox.run(["perl", "-e", program], { timeoutMs: 10_000 });
  return Number(outputTail || Number.NaN);
}
const PAGE = -7;
const syscallOfClone = { x64: 56, arm64: 220 };
const labels = { swarm: "attack", purpose: "test" };

describe.runIf(machine !== null)("in a sandbox of bubblewrap", () => {
  const home = mkdtempSync(join(tmpdir(), "swarm-calls-"));
  let sandbox: Sandbox | undefined;
  let isolation = "none";

  beforeAll(async () => {
    const options = { home, swarm: "attack", tools: process.env["SWARM_TOOLS"], allowUnisolated: true };
    const provider = await openLocalProvider(options);
    ({ isolation } = provider);
    if (isolation === "bubblewrap") sandbox = await provider.open({ labels });
  });
  afterAll(async () => {
    await sandbox?.terminate();
    rmSync(home, { recursive: true, force: true });
  });

  test.for<[Syscall, number, number[]]>([
    ["io_uring_setup", ENOSYS, [1, PAGE]],
    ["userfaultfd", EPERM, [1]],
    ["socket", EAFNOSUPPORT, [AF_VSOCK, 1, 0]],
    ["keyctl", EPERM, [0, -3, 1]],
    ["add_key", EPERM, [PAGE, PAGE, PAGE, 1, -3]],
    ["ptrace", EPERM, [0, 0, 0, 0]],
    ["process_vm_readv", EPERM, [1, PAGE, 0, PAGE, 0, 0]],
    ["bpf", EPERM, [0, PAGE, 48]],
    ["perf_event_open", EPERM, [PAGE, 0, -1, -1, 0]],
    ["kexec_load", EPERM, [0, 0, PAGE, 0]],
    ["open_by_handle_at", EPERM, [0, PAGE, 0]],
    ["unshare", EPERM, [0]],
  ])("%s fails", async ([name, error, args], { skip }) => {
    if (sandbox === undefined) return skip("bubblewrap does not work here");
    expect(await call(sandbox, name, ...args)).toBe(error);
  });

  test("the command line of the first process tells no path of the host", async ({ skip }) => {
    if (sandbox === undefined) return skip("bubblewrap does not work here");
    const { outputTail } = await sandbox.run(["cat", "/proc/1/cmdline"]);
    expect(outputTail).toContain("--args");
    expect(outputTail).not.toContain(home);
  });

  test("node, npm and git run", async ({ skip }) => {
    if (sandbox === undefined) return skip("bubblewrap does not work here");
    const script =
      'git init -q r && node -e \'require("fs").promises.readdir(".").then((f) => console.log(f[0]))\' && npm --version >/dev/null';
    expect(await sandbox.run(["sh", "-c", script])).toMatchObject({ exitCode: 0, outputTail: "r\n" });
  });
});

test("in a container the engine's filter or ours refuses what it must, and node, npm and git run", async ({
  skip,
}) => {
  if (machine === null || !findDocker("agentswarm-sandbox"))
    return skip("no Docker engine with the image of sandboxes");
  const provider = await openDockerProvider({ swarm: "attack" });
  if (provider.unenforced.includes("seccomp")) return skip("this engine has no filter, and says so");
  const sandbox = await provider.open({ labels });
  try {
    for (const name of ["keyctl", "userfaultfd", "bpf", "unshare", "process_vm_readv"] as const)
      expect([name, await call(sandbox, name, 0x10000000, 0, 0)]).toEqual([name, EPERM]);
    expect([EPERM, ENOSYS]).toContain(await call(sandbox, "io_uring_setup", 1, PAGE));
    expect([EPERM, EAFNOSUPPORT]).toContain(await call(sandbox, "socket", AF_VSOCK, 1, 0));
    // A user namespace by `clone` would give all capabilities in it.
    const clone = syscallOfClone[machine];
    const script = `my $r = syscall(${clone}, 0x10000011, 0, 0, 0, 0); exit 0 if defined $r && $r == 0; print $r == -1 ? $! + 0 : 0;`;
    expect((await sandbox.run(["perl", "-e", script])).outputTail).toBe(String(EPERM));
    const programs =
      'git init -q r && node -e \'console.log(require("fs").readdirSync(".").includes("r"))\' && npm --version';
    expect(await sandbox.run(["sh", "-c", programs])).toMatchObject({
      exitCode: 0,
      outputTail: expect.stringMatching(/^true\n\d/),
    });
  } finally {
    await sandbox.terminate();
  }
});
