import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openModalProvider } from "../src/modal/modal-provider.ts";
import { describeProvider } from "./provider-suite.ts";

const { env } = process;
const settings = {
  MODAL_TOKEN_ID: env["MODAL_TOKEN_ID"],
  MODAL_TOKEN_SECRET: env["MODAL_TOKEN_SECRET"],
  MODAL_APP: env["MODAL_APP"] || "agentswarm",
  MODAL_IMAGE: env["MODAL_IMAGE"] || "node:24-bookworm-slim",
  MODAL_CPU: Number(env["MODAL_CPU"] || 0.5),
  MODAL_MEMORY_MIB: Number(env["MODAL_MEMORY_MIB"] || 1_024),
};
const home = mkdtempSync(join(tmpdir(), "swarm-modal-live-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const open = () => openModalProvider({ home, swarm: "suite", settings });

describeProvider("modal, the real service", open, { isolated: true, elsewhere: true });

test("content with a key is kept as a snapshot, from which a later sandbox starts", async () => {
  const file = join(home, "agent.mjs");
  writeFileSync(file, "// copied\n");
  const provider = await open();
  const labels = { swarm: "suite", purpose: "test" };
  const mounts = [{ from: file, at: "agent.mjs", key: `check-${Date.now()}` }];
  const readyMs: number[] = [];
  for (const state of ["created", "reused"]) {
    const sandbox = await provider.open({ labels, mounts });
    const { outputTail } = await sandbox.run(["sh", "-c", "cat agent.mjs; echo x >> agent.mjs || echo kept"]);
    await sandbox.terminate();
    const figures = await sandbox.figures();
    readyMs.push(figures.readyMs);
    process.stdout.write(`snapshot ${state}: ${JSON.stringify(figures)}\n`);
    expect(outputTail).toContain("// copied\n");
    expect(outputTail).toContain("kept");
  }
  expect(readyMs[1]).toBeLessThan(readyMs[0] ?? 0);
});
