import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openLandingEngine, openOrigin, type LandingRequest } from "@agentswarm/git";
import { median, percentile, timed } from "./measure.ts";
import { makeSynthetic, type Synthetic } from "./synthetic.ts";

/** One row of the table: landings a second of this engine and of a work tree, with the same attempts. */
export interface Row {
  readonly files: number;
  readonly conflictPct: number;
  readonly group: number;
  readonly perSec: number;
  readonly baselinePerSec: number;
  readonly ratio: number;
  readonly treesIdentical: boolean;
}

const RUNS = 5;
const TRUNK = "refs/heads/main";
/** No lease: nothing else publishes to a copy made for the measurement. */
const RIGHT = { lost: new AbortController().signal };

export function requestsOf({ base, heads }: Synthetic): LandingRequest[] {
  return heads.map((head, nth) => ({
    base,
    head,
    title: `Task ${nth}`,
    trailers: { taskId: `task-${nth}`, featureId: "feature-1", attempt: 1, model: "glm-5", costUsd: 0.01 },
  }));
}

/** Lands all attempts on a copy of the repository. Returns the milliseconds of each group and the final tree. */
async function landAll(made: Synthetic, dir: string, group: number): Promise<{ ms: number[]; tree: string }> {
  cpSync(made.dir, dir, { recursive: true });
  using engine = openLandingEngine({ dir, strategy: "merge-commit" });
  using origin = await openOrigin({ url: dir, trunk: "main", mirrorDir: `${dir}.mirror` });
  if (origin.dir !== dir) throw new Error(`${dir} is not used in place, so this would measure a mirror`);
  const requests = requestsOf(made);
  const ms: number[] = [];
  let tip = made.base;
  for (let at = 0; at < requests.length; at += group) {
    const took = await timed(async () => {
      const built = await engine.build(tip, requests.slice(at, at + group));
      const last = built.findLast((one) => one.kind === "built");
      if (last?.kind !== "built") return;
      if ((await origin.push({ ref: TRUNK, from: tip, to: last.commit }, RIGHT)) === "moved")
        throw new Error("the trunk moved");
      tip = last.commit;
    });
    ms.push(took);
  }
  const tree = execFileSync("git", ["rev-parse", `${tip}^{tree}`], { cwd: dir, encoding: "utf8" }).trim();
  rmSync(dir, { recursive: true, force: true });
  return { ms, tree };
}

/** Merges the same attempts with `git merge --no-ff` in a work tree, in five parts. */
function mergeAll(made: Synthetic, work: string): { perSec: number; tree: string } {
  execFileSync("git", ["clone", "-q", "--branch", "main", made.dir, work]);
  execFileSync("git", ["fetch", "-q", "origin", "+refs/swarm/*:refs/swarm/*"], { cwd: work });
  const who = ["-c", "user.name=Baseline", "-c", "user.email=baseline@example.com", "-c", "gc.auto=0"];
  const perSec: number[] = [];
  const part = Math.ceil(made.heads.length / RUNS);
  for (let at = 0; at < made.heads.length; at += part) {
    const heads = made.heads.slice(at, at + part);
    const from = performance.now();
    for (const head of heads) {
      const merged = spawnSync("git", [...who, "merge", "-q", "--no-ff", "-m", "Task", head], { cwd: work });
      if (merged.status !== 0) spawnSync("git", ["merge", "--abort"], { cwd: work });
    }
    perSec.push((heads.length * 1_000) / (performance.now() - from));
  }
  const tree = execFileSync("git", ["rev-parse", "HEAD^{tree}"], { cwd: work, encoding: "utf8" }).trim();
  rmSync(work, { recursive: true, force: true });
  return { perSec: median(perSec), tree };
}

/** Compares groups of 100 and single landings with the work tree, for one size and share of conflicts. */
export async function measureRows(
  home: string,
  options: { files: number; branches: number; conflictPct: number },
): Promise<{ rows: Row[]; lonePart: number[] }> {
  const { files, branches, conflictPct } = options;
  const name = `${files}-${conflictPct}`;
  const made = await makeSynthetic(join(home, `${name}.git`), options);
  const baseline = mergeAll(made, join(home, `${name}-work`));
  const rows: Row[] = [];
  let lonePart: number[] = [];
  for (const group of [100, 1]) {
    const perSec: number[] = [];
    const trees = new Set<string>();
    // The first run is a warm-up: a merger runs for days, so its code is compiled.
    for (let run = 0; run <= RUNS; run += 1) {
      const { ms, tree } = await landAll(made, join(home, `${name}-${group}-${run}.git`), group);
      trees.add(tree);
      if (run === 0) continue;
      perSec.push((branches * 1_000) / ms.reduce((sum, one) => sum + one, 0));
      // The first landings of an engine start its processes and read the trunk, so they are left out.
      if (group === 1) lonePart = ms.slice(10);
    }
    rows.push({
      files,
      conflictPct,
      group,
      perSec: Math.round(median(perSec)),
      baselinePerSec: Number(baseline.perSec.toFixed(1)),
      ratio: Number((median(perSec) / baseline.perSec).toFixed(1)),
      treesIdentical: trees.size === 1 && trees.has(baseline.tree),
    });
  }
  rmSync(made.dir, { recursive: true, force: true });
  return { rows, lonePart };
}

export const p99 = (ms: readonly number[]) => Number(percentile(ms, 0.99).toFixed(1));
