import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { describeProvider } from "../../testing/provider-suite.ts";
import { openLocalProvider } from "./local-provider.ts";

const home = await mkdtemp(join(tmpdir(), "swarm-sandbox-"));
afterAll(() => rm(home, { recursive: true, force: true }));

const options = { home, tools: process.env["SWARM_TOOLS"], swarm: "suite", allowUnisolated: true };
const { isolation } = await openLocalProvider(options);
if (isolation === "none") console.warn("bubblewrap does not work here: isolation is NOT tested");

if (isolation === "bubblewrap") {
  // Control groups, which count, are root's unless systemd has delegated one.
  const samples = process.getuid?.() !== 0;
  describeProvider("local, by bubblewrap", () => openLocalProvider(options), { isolated: true, samples });
}
describeProvider(
  "local, without bubblewrap",
  () => openLocalProvider({ ...options, withoutBubblewrap: true }),
  {
    isolated: false,
  },
);

test("without bubblewrap and without ALLOW_UNISOLATED it does not open, and the error names the setting", async () => {
  const opening = openLocalProvider({ ...options, withoutBubblewrap: true, allowUnisolated: false });
  await expect(opening).rejects.toThrow(/ALLOW_UNISOLATED/);
});
