import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { processesOf } from "../../../../test/support/leftovers.ts";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { findDocker } from "../../../../test/support/docker-image.ts";
import { openBroker, TOKEN } from "../../testing/open-broker.ts";
import { DEFAULT_SANDBOX_IMAGE } from "@agentswarm/sandbox/docker";
import { openDockerProvider } from "../../../sandbox/src/docker/docker-provider.ts";
import { reapOrphans, type SandboxInfo } from "@agentswarm/sandbox";
import { openBrokerProvider } from "./broker-provider.ts";

/** Opens a sandbox in a process of its own, starts an endless program in it, and prints the id of the sandbox. */
const CLIENT = `
  const { openSandboxProvider } = await import(${JSON.stringify(import.meta.resolve("@agentswarm/sandbox"))});
  const { openBrokerProvider } = await import(${JSON.stringify(join(import.meta.dirname, "broker-provider.ts"))});
  const options = JSON.parse(process.argv[1]);
  const settings = { SANDBOX_PROVIDER: "docker", ...options };
  const provider = await openSandboxProvider({ home: "/nowhere", swarm: options.swarm, settings, openBroker: openBrokerProvider });
  const sandbox = await provider.open({ labels: { swarm: options.swarm, purpose: "test", task: "t-1" } });
  const child = sandbox.exec(["sh", "-c", 'trap "" TERM HUP; echo started; while :; do sleep 0.1; done', sandbox.id]);
  child.stdout.once("data", () => console.log(sandbox.id));`;

async function startClient(options: object) {
  const args = ["--input-type=module", "-e", CLIENT, JSON.stringify(options)];
  const client = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = (await once(client.stdout, "data")) as [Buffer];
  return { client, id: output.toString().trim() };
}

const gone = (id: string) =>
  waitUntil("its processes' end", 10_000, async () => ((await processesOf(id)).length === 0 ? true : null));

describe.runIf(findDocker(DEFAULT_SANDBOX_IMAGE))("the sandbox of a client that is gone", () => {
  test("is terminated by the broker when the client is killed, over TCP and over a unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "swarm-broker-"));
    for (const listen of ["127.0.0.1:0", join(folder, "broker.sock")]) {
      await using broker = await openBroker({ listen });
      const swarm = "lost-client";
      const provider = await openBrokerProvider({ swarm, url: broker.url, token: TOKEN });
      const { client, id } = await startClient({ swarm, BROKER_URL: broker.url, BROKER_TOKEN: TOKEN });
      const own = await provider.open({ labels: { swarm, purpose: "test" } });
      await reapOrphans(provider, () => expect.unreachable());
      client.kill("SIGKILL");
      await waitUntil("its sandbox's end", 10_000, async () =>
        (await provider.list()).some((one) => one.id === id) ? null : true,
      );
      await gone(id);
      // The sandbox of the other client still runs.
      expect((await own.run(["echo", "alive"])).outputTail).toBe("alive\n");
      await own.terminate();
    }
    rmSync(folder, { recursive: true });
  });

  test("is terminated with the broker, and the client can open another one at the next broker", async () => {
    const swarm = "lost-broker";
    const first = await openBroker();
    const { port } = new URL(first.url);
    const provider = await openBrokerProvider({ swarm, url: first.url, token: TOKEN });
    const sandbox = await provider.open({ labels: { swarm, purpose: "test" } });
    const child = sandbox.exec(["sleep", "600"]);
    await first[Symbol.asyncDispose]();
    expect((await child.exit).code).toBeNull();
    await sandbox.terminate();
    await using _second = await openBroker({ listen: `127.0.0.1:${port}` });
    expect(await provider.list()).toEqual([]);
    const other = await provider.open({ labels: { swarm, purpose: "test" } });
    expect((await other.run(["echo", "alive"])).outputTail).toBe("alive\n");
    await other.terminate();
  });

  test("is found without a broker too, because its owner is gone", async () => {
    const swarm = "lost-owner";
    const provider = await openDockerProvider({ swarm });
    const { client, id } = await startClient({ swarm });
    await reapOrphans(provider, () => expect.unreachable());
    expect(await provider.list()).toMatchObject([{ id, orphaned: false, labels: { task: "t-1" } }]);
    client.kill("SIGKILL");
    await once(client, "exit");
    const reaped: SandboxInfo[] = [];
    await reapOrphans(provider, (one) => reaped.push(one));
    expect(reaped).toMatchObject([{ id, orphaned: true }]);
    expect(await provider.list()).toEqual([]);
    await gone(id);
  });
});
