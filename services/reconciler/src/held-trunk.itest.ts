import { expect, test } from "vitest";
import { DEFAULT_REPO } from "@agentswarm/contracts";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { git } from "../../../test/support/string-kit.ts";
import { MAIN, openTrunkLab } from "../testing/trunk-lab.ts";

test("a trunk that is red before any landing is held without a model call, until a push makes it green", async () => {
  const lab = openTrunkLab("in place");
  using mirror = await lab.open();
  lab.red.add(git(lab.origin, "rev-parse", `${lab.head()}^{tree}`));
  const sweep = await lab.sweep(mirror);
  expect(sweep).toMatchObject({ outcome: "red", drafts: [], green: null });
  expect(sweep.reason).toContain(
    "the trunk's own check `npm test` fails here before any change: not ok 1 - sums",
  );
  expect(lab.states.get(DEFAULT_REPO)).toEqual({ head: lab.head(), hold: sweep.reason, unchecked: null });
  // A person may have the agents work on it all the same.
  expect(await lab.sweep(mirror, { redTrunk: "work" })).toMatchObject({ drafts: [{ title: "Fix it" }] });

  const repaired = lab.commit("repair", lab.head());
  expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: repaired });
  expect(lab.states.get(DEFAULT_REPO)).toMatchObject({ hold: null });
});

test("a target without checks is unchecked and has no green, until it says that it wants none", async () => {
  const lab = openTrunkLab("in place");
  using mirror = await lab.open();
  const base = lab.head();
  commitFiles(lab.origin, [{ ref: MAIN, base, files: { "package.json": JSON.stringify({ name: "x" }) } }]);
  // The checks of the commit decide, not the record of its tree.
  const records = {
    find: async () => ({ checks: [], drafts: [], at: Date.now() }),
    keep: async () => undefined,
  };
  const sweep = await lab.sweep(mirror, { records });
  expect(sweep).toMatchObject({ outcome: "unchecked", green: null });
  expect(lab.states.get(DEFAULT_REPO)?.unchecked).toContain("Add a swarm.json with checks");
  expect(() => lab.green()).toThrow();

  const none = JSON.stringify({ checks: { gate: [] } });
  commitFiles(lab.origin, [{ ref: MAIN, base: lab.head(), files: { "swarm.json": none } }]);
  expect(await lab.sweep(mirror, { records })).toMatchObject({ outcome: "green", green: lab.head() });
  expect(lab.states.get(DEFAULT_REPO)?.unchecked).toBeNull();
});
