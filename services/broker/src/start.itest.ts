import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { openBrokerProvider } from "@agentswarm/broker";
import { openSandboxProvider, sandboxSettingsSchema } from "@agentswarm/sandbox";
import { parseEnv } from "@agentswarm/service";
import { findDocker } from "../../../test/support/docker-image.ts";
import { processesOf } from "../../../test/support/leftovers.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";

const folder = mkdtempSync(join(tmpdir(), "swarm-broker-"));
const listen = join(folder, "broker.sock");
const TOKEN = "a token for tests only";
const swarm = "broker-main";
const env = { PATH: process.env["PATH"], BROKER_LISTEN: listen, BROKER_NAME: "main-itest" };
const settings = parseEnv(sandboxSettingsSchema, {
  SANDBOX_PROVIDER: "docker",
  BROKER_URL: `unix:${listen}`,
  BROKER_TOKEN: TOKEN,
});
const started: ChildProcess[] = [];

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

function start(own: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    env: { ...env, ...own },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  return child;
}

async function startServing(): Promise<ChildProcess> {
  const child = start({ BROKER_TOKEN: TOKEN });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await waitUntil(
    "the broker's start",
    20_000,
    () => output.includes("serving sandboxes") || null,
    () => output,
  );
  expect(output).not.toContain(TOKEN);
  return child;
}

async function openOne() {
  const provider = await openSandboxProvider({
    home: folder,
    swarm,
    settings,
    openBroker: openBrokerProvider,
  });
  const sandbox = await provider.open({ labels: { swarm, purpose: "test" } });
  const child = sandbox.exec(["sh", "-c", "echo started; sleep 600", sandbox.id]);
  await once(child.stdout, "data");
  return { provider, id: sandbox.id };
}

const endOf = (id: string) =>
  waitUntil("its end", 10_000, async () => ((await processesOf(id)).length === 0 ? true : null));

test("without a token it does not start, and the error says how to make one", async () => {
  const child = start({});
  const output = text(child.stderr);
  expect(await once(child, "exit")).toEqual([1, null]);
  expect(await output).toMatch(/BROKER_TOKEN is not set: make one: openssl/);
});

describe.runIf(findDocker("agentswarm-sandbox"))("a broker as a process", () => {
  test("terminates its sandboxes when it is stopped", async () => {
    const broker = await startServing();
    const { id } = await openOne();
    broker.kill("SIGTERM");
    expect(await once(broker, "exit")).toEqual([0, null]);
    await endOf(id);
  });

  test("terminates the sandboxes that an earlier killed broker left", async () => {
    const killed = await startServing();
    const { id } = await openOne();
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(await processesOf(id)).not.toEqual([]);
    const next = await startServing();
    await endOf(id);
    const { provider, id: other } = await openOne();
    expect(await provider.list()).toMatchObject([{ id: other, orphaned: false }]);
    next.kill("SIGTERM");
    expect(await once(next, "exit")).toEqual([0, null]);
  });
});
