import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseEnv } from "@agentswarm/service";
import { settings } from "../config.ts";
import { hashFolder } from "./hash-folder.ts";
import { readRuntime } from "./read-runtime.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-runtime-"));
  mkdirSync(join(dir, "agent/bin"), { recursive: true });
  writeFileSync(join(dir, "agent/bin/mine"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("bin/mine", join(dir, "agent/link"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const read = (env: Record<string, string>) =>
  readRuntime(parseEnv(settings, { GIT_REPO_URL: "https://example.com/a.git", ...env }));
const byCommand = (env: Record<string, string>) => read({ AGENT_RUNTIME: "command", ...env });

test("without settings the runtime is the built-in loop, without mounts", async () => {
  expect(await read({})).toEqual({ runtime: { kind: "pi" }, mounts: [] });
});

test("a template in JSON or YAML is read, and the program's folder is mounted at .agent", async () => {
  const file = join(dir, "mine.yaml");
  writeFileSync(file, "name: mine\nargv: [mine, '{{promptFile}}']\n");
  const AGENT_COMMAND_DIR = join(dir, "agent");
  const chosen = await byCommand({ AGENT_TEMPLATE: file, AGENT_COMMAND_DIR });
  expect(chosen).toMatchObject({
    runtime: {
      kind: "command",
      template: { name: "mine", argv: ["mine", "{{promptFile}}"], output: "plain" },
    },
    mounts: [{ from: AGENT_COMMAND_DIR, at: ".agent", key: expect.stringMatching(/^agent-[0-9a-f]{32}$/) }],
  });
  writeFileSync(file, JSON.stringify({ name: "mine", argv: ["mine", "{{promptFile}}"] }));
  expect(await byCommand({ AGENT_TEMPLATE: file, AGENT_COMMAND_DIR })).toEqual(chosen);
});

test("the name opencode finds the template of this repository", async () => {
  const { runtime } = await byCommand({});
  expect(runtime).toMatchObject({ kind: "command", template: { name: "opencode", output: "opencode" } });
});

test("an error names the setting that is wrong", async () => {
  const file = join(dir, "bad.yaml");
  writeFileSync(file, "name: bad\nargv: ['{{agentDir}}/bin/mine']\n");
  await expect(byCommand({ AGENT_TEMPLATE: file })).rejects.toThrow(/AGENT_COMMAND_DIR.*bad needs a folder/);
  await expect(byCommand({ AGENT_TEMPLATE: "./not-there.yaml" })).rejects.toThrow(
    /AGENT_TEMPLATE.*cannot be read/,
  );
  await expect(byCommand({ AGENT_COMMAND_DIR: join(dir, "none") })).rejects.toThrow(/AGENT_COMMAND_DIR/);
  writeFileSync(file, "name: bad\nargv: ['{{promt}}']\n");
  await expect(byCommand({ AGENT_TEMPLATE: file })).rejects.toThrow(/AGENT_TEMPLATE.*promt/s);
  writeFileSync(file, "argv: [");
  await expect(byCommand({ AGENT_TEMPLATE: file })).rejects.toThrow(/AGENT_TEMPLATE/);
});

test("the hash of a folder changes with its content only", async () => {
  const agent = join(dir, "agent");
  const before = await hashFolder(agent);
  renameSync(agent, join(dir, "moved"));
  renameSync(join(dir, "moved"), agent);
  expect(await hashFolder(agent)).toBe(before);
  const names = new Set([before]);
  const changes = [
    () => writeFileSync(join(agent, "bin/mine"), "#!/bin/sh\nexit\n"),
    () => chmodSync(join(agent, "bin/mine"), 0o644),
    () => renameSync(join(agent, "bin/mine"), join(agent, "bin/yours")),
    () => rmSync(join(agent, "link")),
    () => mkdirSync(join(agent, "empty")),
  ];
  for (const change of changes) {
    change();
    names.add(await hashFolder(agent));
  }
  expect(names.size).toBe(1 + changes.length);
});
