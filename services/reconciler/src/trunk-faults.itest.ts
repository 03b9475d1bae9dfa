import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  DEFAULT_REPO,
  type CheckResult,
  type EventToSend,
  type Sweep,
  type TrunkState,
} from "@agentswarm/contracts";
import { openDependencyCache } from "@agentswarm/checks";
import { openOrigin, type Mirror } from "@agentswarm/git";
import type { Sandbox, SandboxProvider } from "@agentswarm/sandbox";
import { createLogger } from "@agentswarm/service";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import type { SweepContext } from "./context.ts";
import { sweep } from "./sweep.ts";

const MAIN = "refs/heads/main";
const dir = mkdtempSync(join(tmpdir(), "swarm-trunk-faults-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A reconciler's repository in this process. The test decides which trees pass; no check runs. */
interface Lab {
  readonly origin: string;
  readonly mirrorDir: string;
  readonly events: EventToSend[];
  /** The error lines of the log. */
  readonly errors: string[];
  /** Trees whose check fails. */
  readonly red: Set<string>;
  /** What the sweeps say to the other services. */
  readonly states: ReadonlyMap<string, TrunkState>;
  open(trunk?: string): Promise<Mirror>;
  sweep(mirror: Mirror, changed?: Partial<SweepContext>): Promise<Sweep>;
  /** A commit of this file on the trunk, upon `base`. */
  commit(file: string, base: string): string;
  green(): string;
  head(): string;
}

let labs = 0;
function openLab(kind: "in place" | "by a mirror"): Lab {
  const home = join(dir, `lab-${(labs += 1)}`);
  mkdirSync(home);
  const origin = makeStringKit(home);
  if (kind === "by a mirror") addHook(origin, "post-update", "exit 0");
  const mirrorDir = join(home, "mirror");
  const events: EventToSend[] = [];
  const errors: string[] = [];
  const red = new Set<string>();
  const states = new Map<string, TrunkState>();
  const destination = { write: (line: string) => void errors.push(line) };
  const log = createLogger({ service: "test", level: "error", format: "json", destination });
  const rev = (ref: string) => git(origin, "rev-parse", "--verify", ref);
  return {
    origin,
    mirrorDir,
    events,
    errors,
    red,
    states,
    open: (trunk) => openOrigin({ url: origin, mirrorDir, trunk }),
    sweep(mirror, changed = {}) {
      const draft = { signature: "*", title: "Fix it", description: "", scope: [] };
      const ctx: SweepContext = {
        connection: { now: () => Promise.resolve(1) },
        sender: { event: async (event) => void events.push(event) },
        log,
        repoId: DEFAULT_REPO,
        mirror,
        records: {
          find: async (tree) => ({ checks: [resultOf(red.has(tree))], drafts: [draft], at: Date.now() }),
          keep: async () => undefined,
        },
        trunkStates: {
          note: async (repoId, state) => void states.set(repoId, state),
          read: async (repoId) => states.get(repoId) ?? null,
          all: async () => states,
          requireNoHold: async () => undefined,
        },
        redTrunk: "hold",
        provider: NO_SANDBOXES,
        dependencies: openDependencyCache({ home, provider: NO_SANDBOXES, swarm: "lab", env: {}, log }),
        model: { name: "none", prices: { input: 0, output: 0, cached: 0 }, complete: refuse },
        promptsDir: "",
        bundlesDir: home,
        swarm: "lab",
        ...changed,
      };
      return sweep(ctx, { why: "manual", askedAt: 0 }, new AbortController().signal);
    },
    commit(file, base) {
      commitFiles(origin, [{ ref: MAIN, base, files: { [file]: `${file}\n` } }]);
      return rev(MAIN);
    },
    green: () => rev("refs/heads/green"),
    head: () => rev(MAIN),
  };
}

function resultOf(red: boolean): CheckResult {
  return { command: "npm test", exitCode: red ? 1 : 0, durationMs: 1, outputTail: "not ok 1 - sums" };
}

const refuse = () => Promise.reject(new Error("nothing runs in these tests"));
const NO_SANDBOXES: SandboxProvider = {
  name: "none",
  isolation: "none",
  unenforced: [],
  chargesWhileIdle: false,
  open: refuse,
  list: refuse,
  terminate: refuse,
};

function addHook(origin: string, name: string, script: string): void {
  mkdirSync(join(origin, "hooks"), { recursive: true });
  const file = join(origin, "hooks", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

describe.each(["in place", "by a mirror"] as const)("a trunk used %s", (kind) => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab(kind);
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

test("a trunk that is red before any landing is held without a model call, until a push makes it green", async () => {
  const lab = openLab("in place");
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
  const lab = openLab("in place");
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

test("a green branch that the origin protects is a retryable fault with the origin's reason", async () => {
  const lab = openLab("by a mirror");
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
  const lab = openLab("in place");
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
