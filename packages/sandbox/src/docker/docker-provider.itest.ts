import Docker from "dockerode";
import { afterAll, expect, test } from "vitest";
import { findDocker, removeSuiteContent } from "../../../../test/support/docker-image.ts";
import { describeProvider } from "../../testing/provider-suite.ts";
import { DEFAULT_SANDBOX_IMAGE } from "./docker-host.ts";
import { openDockerProvider } from "./docker-provider.ts";

const MIB = 1024 ** 2;

if (findDocker(DEFAULT_SANDBOX_IMAGE)) {
  afterAll(removeSuiteContent);
  describeProvider("docker", () => openDockerProvider({ swarm: "suite" }), { isolated: true });

  test("asks the engine for nothing but what a sandbox is", async () => {
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
      SecurityOpt: ["no-new-privileges"],
      Memory: 256 * MIB,
      MemorySwap: 256 * MIB,
      PidsLimit: 99,
      NanoCpus: 1.5e9,
      PidMode: "",
      UsernsMode: "",
      IpcMode: "private",
    });
    for (const none of [HostConfig.CapAdd, HostConfig.Binds, HostConfig.Devices])
      expect(none ?? []).toEqual([]);
    expect(Config.User).toBe("1000:1000");
    expect(Mounts).toEqual([]);
  });

  test("a full work folder is the guest's own trouble", async () => {
    const provider = await openDockerProvider({ swarm: "suite-full", workBytes: 8 * MIB });
    const sandbox = await provider.open({ labels: { swarm: "suite-full", purpose: "test" } });
    const script =
      "exec 2>&1; head -c 9000000 /dev/zero > big; echo $?; stat -c %s big; rm big; echo x > small; cat small";
    const { outputTail } = await sandbox.run(["sh", "-c", script], { timeoutMs: 20_000 });
    await sandbox.terminate();
    expect(outputTail).toContain("No space left on device\n1\n8388608\nx\n");
  });

  test("where the image is missing it says how to build it", async () => {
    const opening = openDockerProvider({ swarm: "suite", image: "no-such-image" });
    await expect(opening).rejects.toThrow(/docker build -t no-such-image/);
  });
}

test("where no engine answers it says what to do", async () => {
  process.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
  try {
    await expect(openDockerProvider({ swarm: "suite" })).rejects.toThrow(/start Docker/);
  } finally {
    delete process.env["DOCKER_HOST"];
  }
});
