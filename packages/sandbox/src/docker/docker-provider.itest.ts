import Docker from "dockerode";
import { afterAll, expect, test } from "vitest";
import { findDocker, removeSuiteContent } from "../../../../test/support/docker-image.ts";
import { describeProvider } from "../../testing/provider-suite.ts";
import { describeProcess } from "@agentswarm/contracts/node";
import { reapOrphans } from "../reap-orphans.ts";
import { DEFAULT_SANDBOX_IMAGE } from "./docker-host.ts";
import { openDockerProvider } from "./docker-provider.ts";

const MIB = 1024 ** 2;

if (findDocker(DEFAULT_SANDBOX_IMAGE)) {
  afterAll(removeSuiteContent);
  describeProvider("docker", () => openDockerProvider({ swarm: "suite" }), { isolated: true });

  test("requests a container without privileges, network or folders of the host", async () => {
    const provider = await openDockerProvider({ swarm: "suite-engine" });
    const limits = { memoryBytes: 256 * MIB, pids: 99, cpus: 1.5, wallMs: 60_000 };
    const sandbox = await provider.open({ labels: { swarm: "suite-engine", purpose: "test" }, limits });
    const { Config, HostConfig, Mounts } = await new Docker().getContainer(sandbox.id).inspect();
    await sandbox.terminate();
    expect(HostConfig).toMatchObject({
      Privileged: false,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      ReadonlyRootfs: true,
      Memory: 256 * MIB,
      MemorySwap: 256 * MIB,
      PidsLimit: 99,
      NanoCpus: 1.5e9,
      PidMode: "",
      UsernsMode: "",
      IpcMode: "private",
    });
    // Old engines also get our filter of system calls (engine-filter.ts).
    expect(HostConfig.SecurityOpt.map((option: string) => option.split("=")[0])).toEqual(
      expect.arrayContaining(["no-new-privileges"]),
    );
    for (const absent of [HostConfig.CapAdd, HostConfig.Binds, HostConfig.Devices])
      expect(absent ?? []).toEqual([]);
    expect(Config.User).toBe("1000:1000");
    expect(Mounts).toEqual([]);
  });

  test("a container of another host is orphaned only once it has stopped", async () => {
    const swarm = "suite-other-host";
    const docker = new Docker();
    // No process of this host has the pid.
    const owner = { ...describeProcess(2 ** 22 + 1), host: "another" };
    const container = await docker.createContainer({
      Image: DEFAULT_SANDBOX_IMAGE,
      Cmd: ["sleep", "600"],
      Labels: {
        "agentswarm.owner": JSON.stringify(owner),
        "agentswarm.swarm": swarm,
        "agentswarm.purpose": "test",
      },
      HostConfig: { NetworkMode: "none" },
    });
    try {
      await container.start();
      const provider = await openDockerProvider({ swarm });
      await reapOrphans(provider, () => expect.unreachable());
      expect(await provider.list()).toMatchObject([{ orphaned: false, labels: { swarm, purpose: "test" } }]);
      await container.stop({ t: 0 });
      await reapOrphans(provider, () => undefined);
      expect(await provider.list()).toEqual([]);
    } finally {
      await container.remove({ force: true }).catch(() => undefined);
    }
  });

  test("a full work folder fails the guest's writes and nothing else", async () => {
    const provider = await openDockerProvider({ swarm: "suite-full", workBytes: 8 * MIB });
    const sandbox = await provider.open({ labels: { swarm: "suite-full", purpose: "test" } });
    const script =
      "exec 2>&1; head -c 9000000 /dev/zero > big; echo $?; stat -c %s big; rm big; echo x > small; cat small";
    const { outputTail } = await sandbox.run(["sh", "-c", script], { timeoutMs: 20_000 });
    await sandbox.terminate();
    expect(outputTail).toContain("No space left on device\n1\n8388608\nx\n");
  });

  test("a missing image is an error that says how to build it", async () => {
    const opening = openDockerProvider({ swarm: "suite", image: "no-such-image" });
    await expect(opening).rejects.toThrow(/docker build -t no-such-image/);
  });
}

test("an engine that does not answer is an error that says what to do", async () => {
  process.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
  try {
    await expect(openDockerProvider({ swarm: "suite" })).rejects.toThrow(/start Docker/);
  } finally {
    delete process.env["DOCKER_HOST"];
  }
});
