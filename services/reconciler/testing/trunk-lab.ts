import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DEFAULT_REPO,
  type CheckResult,
  type EventToSend,
  type Sweep,
  type TrunkState,
} from "@agentswarm/contracts";
import { openDependencyCache } from "@agentswarm/checks";
import { openOrigin, type Mirror } from "@agentswarm/git";
import type { SandboxProvider } from "@agentswarm/sandbox";
import { createLogger } from "@agentswarm/service";
import { afterAll } from "vitest";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import type { SweepContext } from "../src/context.ts";
import { sweep } from "../src/sweep.ts";

export const MAIN = "refs/heads/main";
const dir = mkdtempSync(join(tmpdir(), "swarm-trunk-faults-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A reconciler's repository in this process. The test decides which trees pass; no check runs. */
export interface TrunkLab {
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
export function openTrunkLab(kind: "in place" | "by a mirror"): TrunkLab {
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

export function resultOf(red: boolean): CheckResult {
  return { command: "npm test", exitCode: red ? 1 : 0, durationMs: 1, outputTail: "not ok 1 - sums" };
}

export const refuse = () => Promise.reject(new Error("nothing runs in these tests"));
export const NO_SANDBOXES: SandboxProvider = {
  name: "none",
  isolation: "none",
  unenforced: [],
  chargesWhileIdle: false,
  open: refuse,
  list: refuse,
  terminate: refuse,
};

export function addHook(origin: string, name: string, script: string): void {
  mkdirSync(join(origin, "hooks"), { recursive: true });
  const file = join(origin, "hooks", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}
