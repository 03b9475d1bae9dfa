import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Sandbox } from "@agentswarm/sandbox";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { git } from "../../../test/support/string-kit.ts";
import { addHook, MAIN, NO_SANDBOXES, openTrunkLab, refuse, type TrunkLab } from "../testing/trunk-lab.ts";

describe.each(["in place", "by a mirror"] as const)("a trunk used %s", (kind) => {
  let lab: TrunkLab;
  beforeEach(() => {
    lab = openTrunkLab(kind);
  });

  test("a force-pushed trunk is reported once with what to do, and green moves to its next head that passes", async () => {
    using mirror = await lab.open();
    const first = lab.head();
    const second = lab.commit("second", first);
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: second });
    expect(lab.events).toEqual([]);

    const other = lab.commit("other", first);
    lab.red.add(git(lab.origin, "rev-parse", `${other}^{tree}`));
    // Red: green stays where it was, and is named to nobody as a commit of the trunk.
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "red", head: other, green: null });
    expect(lab.green()).toBe(second);
    expect(lab.events).toMatchObject([
      {
        type: "trunk.rewritten",
        id: `trunk-rewritten-${second}-${other}`,
        data: { head: other, green: second },
      },
    ]);
    expect(lab.errors[0]).toContain("force-pushed or rewound");
    expect(lab.errors[0]).toContain("set TRUNK");

    lab.red.clear();
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: other });
    expect(lab.green()).toBe(other);
    const third = lab.commit("third", other);
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: third });
    expect(lab.events).toHaveLength(2);
  });

  test("a rewound trunk takes green with it, and forward again", async () => {
    using mirror = await lab.open();
    const first = lab.head();
    const second = lab.commit("second", first);
    await lab.sweep(mirror);
    git(lab.origin, "update-ref", MAIN, first);
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", head: first, green: first });
    expect(lab.green()).toBe(first);
    git(lab.origin, "update-ref", MAIN, second);
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: second });
    expect(lab.events).toHaveLength(1);
  });

  test("a mirror that is new after a forced push, and lacks the old history, sweeps all the same", async () => {
    const first = lab.head();
    const second = lab.commit("second", first);
    {
      using mirror = await lab.open();
      await lab.sweep(mirror);
    }
    const other = lab.commit("other", first);
    git(lab.origin, "update-ref", "-d", "refs/heads/green");
    git(lab.origin, "prune", "--expire=now");
    rmSync(lab.mirrorDir, { recursive: true, force: true });
    using mirror = await lab.open();
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: other });
    expect(await mirror.hasAll(other, [second])).toBe(false);
  });

  test("a trunk that is gone is a fault that names TRUNK, and sweeps go on when it is back or TRUNK is set", async () => {
    const head = lab.head();
    using mirror = await lab.open();
    git(lab.origin, "branch", "-m", "main", "trunk");
    await expect(lab.sweep(mirror)).rejects.toMatchObject({
      code: "target.invalid",
      retryable: true,
      message: `${lab.origin} has no branch main: set TRUNK to one it has`,
    });
    {
      using renamed = await lab.open("trunk");
      expect(await lab.sweep(renamed)).toMatchObject({ outcome: "green", head, green: head });
    }
    git(lab.origin, "branch", "-m", "trunk", "main");
    const next = lab.commit("next", head);
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: next });
  });

  test("a broken swarm.json is the sweep's reason, and green goes on with the commit that repairs it", async () => {
    const first = lab.head();
    using mirror = await lab.open();
    await lab.sweep(mirror);
    commitFiles(lab.origin, [{ ref: MAIN, base: first, files: { "swarm.json": '{"checks": ,}' } }]);
    const broken = await lab.sweep(mirror);
    expect(broken).toMatchObject({ outcome: "error", green: first });
    expect(broken.reason).toContain("swarm.json");
    const files = { "swarm.json": '{"checks": {"gate": ["npm test"]}}' };
    commitFiles(lab.origin, [{ ref: MAIN, base: lab.head(), files }]);
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: lab.head() });
  });

  test("an origin that is away is a retryable fault each time, and the next sweep after it moves green", async () => {
    using mirror = await lab.open();
    const away = `${lab.origin}.away`;
    renameSync(lab.origin, away);
    for (let times = 0; times < 3; times += 1)
      await expect(lab.sweep(mirror)).rejects.toMatchObject({ code: "origin.unreachable", retryable: true });
    renameSync(away, lab.origin);
    expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: lab.head() });
  });
});

test("a green branch that the origin protects is a retryable fault with the origin's reason", async () => {
  const lab = openTrunkLab("by a mirror");
  using mirror = await lab.open();
  addHook(lab.origin, "update", 'test "$1" != refs/heads/green || { echo green is protected; exit 1; }');
  await expect(lab.sweep(mirror)).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining("green is protected"),
  });
  rmSync(join(lab.origin, "hooks/update"));
  expect(await lab.sweep(mirror)).toMatchObject({ outcome: "green", green: lab.head() });
});

// Fault 24: the landed tree is not the one that was checked.
test("checks that ran on another tree than the trunk's count for nothing", async () => {
  const lab = openTrunkLab("in place");
  using mirror = await lab.open();
  const [head, other] = [lab.head(), git(lab.origin, "rev-parse", "main:src")];
  commitFiles(lab.origin, [
    { ref: MAIN, base: head, files: { "swarm.json": '{"checks":{"gate":["true"]}}' } },
  ]);
  const figures = { readyMs: 0, cpuMs: 0, memoryPeakBytes: 0, bytesIn: 0, bytesOut: 0, costUsd: 0 };
  const sandbox: Sandbox = {
    id: "sandbox",
    workDir: "/work",
    exec: () => {
      throw new Error("only whole programs run here");
    },
    run: async () => ({ exitCode: 0, timedOut: false, outputTail: `${other}\n`, durationMs: 1 }),
    figures: async () => figures,
    terminate: async () => undefined,
  };
  const changed = {
    provider: { ...NO_SANDBOXES, open: async () => sandbox },
    records: { find: async () => null, keep: refuse },
  };
  await expect(lab.sweep(mirror, changed)).rejects.toMatchObject({
    code: "git.refused",
    message: expect.stringContaining(`the sweep checked tree ${other}`),
  });
  expect(await mirror.green()).toBeNull();
});
