import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseEnv } from "@agentswarm/service";
import { doctorSettings } from "./config.ts";
import { examineSizes, formatBytes } from "./examine-sizes.ts";

const home = mkdtempSync(join(tmpdir(), "swarm-sizes-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("what is kept is shown with its size and its days, and what does not exist is left out", async () => {
  mkdirSync(join(home, "store.git/objects/pack"), { recursive: true });
  writeFileSync(join(home, "store.git/objects/pack/a.pack"), "x".repeat(3 * 1024 ** 2));
  mkdirSync(join(home, "logs"));
  mkdirSync(join(home, "deps"));
  const env = { SWARM_HOME: home, ATTEMPT_DAYS: "", DEPENDENCY_DAYS: "0.5", BUNDLE_DAYS: "never" };
  const findings = await examineSizes(parseEnv(doctorSettings, env), env);
  const shown = new Map(findings.map(({ name, detail }) => [name, detail]));
  expect(shown.get("attempts")).toBe("3.0 MiB in 1 files, kept 7 days (ATTEMPT_DAYS)");
  expect(shown.get("dependencies")).toBe("0 KiB in 0 files, kept 0.5 days (DEPENDENCY_DAYS)");
  expect(shown.get("logs")).toBe("0 KiB in 0 files");
  expect(shown.has("bundles")).toBe(false);
  expect(shown.get("disk")).toContain(`free at ${home}`);
});

test("sizes are short", () => {
  expect([0, 1024, 1_500_000, 3.3e9, 5e14].map(formatBytes)).toEqual([
    "0 KiB",
    "1 KiB",
    "1.4 MiB",
    "3.1 GiB",
    "455 TiB",
  ]);
});
