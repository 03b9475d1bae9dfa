import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { processesOf } from "../../../../test/support/leftovers.ts";
import { startFakeModal } from "../../testing/fake-modal/start-fake-modal.ts";
import { reapOrphans } from "../reap-orphans.ts";
import type { SandboxInfo } from "../sandbox.ts";
import { openModalProvider } from "./modal-provider.ts";

const fake = await startFakeModal();
process.env["MODAL_SERVER_URL"] = fake.url;
const home = mkdtempSync(join(tmpdir(), "swarm-modal-"));
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** Opens a sandbox in a process of its own, starts an endless program in it, and prints the id of the sandbox. */
const OWNER = `
  const { openModalProvider } = await import(${JSON.stringify(join(import.meta.dirname, "modal-provider.ts"))});
  const provider = await openModalProvider(JSON.parse(process.argv[1]));
  const sandbox = await provider.open({ labels: { swarm: "orphans", purpose: "test", task: "t-1" } });
  const child = sandbox.exec(["sh", "-c", 'echo started; while :; do sleep 0.1; done', sandbox.id]);
  child.stdout.once("data", () => console.log(sandbox.id));`;

test("a sandbox whose owner was killed is terminated, and one of a running owner is kept", async () => {
  const options = { home, swarm: "orphans", settings: fake.settings, guest: null };
  const provider = await openModalProvider(options);
  const own = await provider.open({ labels: { swarm: "orphans", purpose: "test" } });
  const args = ["--input-type=module", "-e", OWNER, JSON.stringify(options)];
  const owner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = (await once(owner.stdout, "data")) as [Buffer];
  const id = output.toString().trim();
  await reapOrphans(provider, () => expect.unreachable());
  owner.kill("SIGKILL");
  await once(owner, "exit");
  expect((await processesOf(id)).length).toBeGreaterThan(0);

  const reaped: SandboxInfo[] = [];
  await reapOrphans(provider, (sandbox) => reaped.push(sandbox));
  expect(reaped).toMatchObject([{ id, orphaned: true, labels: { task: "t-1" } }]);
  expect((await provider.list()).map((one) => one.id)).toEqual([own.id]);
  expect(await processesOf(id)).toEqual([]);
  await own.terminate();
});
