import { renameSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_REPO, jobId, type TrunkState } from "@agentswarm/contracts";
import { createLogger } from "@agentswarm/service";
import { openTrunkLab } from "../testing/trunk-lab.ts";
import { watchHeldTrunk } from "./watch-held-trunk.ts";

test("a held trunk is swept when somebody pushes to it, not before, and a trunk that is not held is left to the timer", async () => {
  const lab = openTrunkLab("in place");
  using mirror = await lab.open();
  let state: TrunkState = { head: lab.head(), hold: null, unchecked: null };
  let looks = 0;
  const warnings: string[] = [];
  const write = (line: string) => void warnings.push(line);
  const log = createLogger({ service: "test", level: "warn", format: "json", destination: { write } });
  const sent: unknown[][] = [];
  const sender = { send: async (...message: unknown[]) => void sent.push(message) };
  const read = async () => {
    looks += 1;
    return state;
  };
  using _watch = watchHeldTrunk({ sender, log }, { repoId: DEFAULT_REPO, mirror, trunkStates: { read } }, 5);
  const looked = async () => {
    const before = looks;
    await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(before + 20);
  };

  const red = lab.commit("red", lab.head());
  await looked();
  expect(sent).toEqual([]);

  state = { head: red, hold: "the trunk's own check fails", unchecked: null };
  await looked();
  expect(sent).toEqual([]);

  const repaired = lab.commit("repair", lab.head());
  const sweep = [
    "sweep",
    { why: "nudge", repoId: DEFAULT_REPO },
    { jobId: jobId.sweepAfterLandings(repaired) },
  ];
  await expect.poll(() => sent[0], { timeout: 20_000 }).toEqual(sweep);

  // An origin that is away for a while ends nothing.
  renameSync(lab.origin, `${lab.origin}.away`);
  await expect.poll(() => warnings.length, { timeout: 20_000 }).toBeGreaterThan(0);
  renameSync(`${lab.origin}.away`, lab.origin);
  const seen = sent.length;
  await expect.poll(() => sent.length, { timeout: 20_000 }).toBeGreaterThan(seen);
});
