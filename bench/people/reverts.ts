import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { attemptRef, DEFAULT_REPO, jobId, NO_METRICS, NO_NOTES } from "@agentswarm/contracts";
import { makeRevert, openStore } from "@agentswarm/git";
import { createSender } from "@agentswarm/queue";
import { startMerger, type TestMerger } from "../../services/merger/testing/start-merger.ts";
import { percentile } from "../landing/measure.ts";
import type { Measure } from "./measure.ts";

const FEATURES = 50;
const LANDINGS_EACH = 3;
const FILES = 10;
const REVERTS = 10;

/**
 * Fifty features that are interleaved on one trunk and share its files, of which ten are taken back. `revertMsP95`:
 * milliseconds from the order to the commit on the trunk, which the dispatcher's code makes and a merger process lands
 * without a gate.
 */
export const measureReverts: Measure = async ({ quick, say }) => {
  const lines = (file: number) => Array.from({ length: 200 }, (_, line) => `line ${line} of ${file}`);
  const files = Object.fromEntries(
    Array.from({ length: FILES }, (_, file) => [`src/${file}.js`, `${lines(file).join("\n")}\n`]),
  );
  await using merger = await startMerger({ files, env: { LANDING_GATE: "off" } });
  await landFeatures(merger, lines);
  const landings = readLandings(merger);
  const tookMs: number[] = [];
  for (let nth = 0; nth < (quick ? 2 : REVERTS); nth += 1) {
    // Every 17th feature, so that old and new ones are taken back in turns.
    const feature = (nth * 17) % FEATURES;
    const own = landings.filter(({ taskId }) => taskId.startsWith(`feature-${feature}-`));
    const commits = own.map(({ commit }) => commit);
    tookMs.push(await revert(merger, `revert-${feature}`, commits));
    say(`  feature ${feature}: ${commits.length} landings taken back in ${tookMs.at(-1)?.toFixed(0)} ms`);
  }
  return { revertMsP95: Math.round(percentile(tookMs, 0.95)) };
};

/** Lands the features in turns: their first landings, then their second ones. */
async function landFeatures(merger: TestMerger, lines: (file: number) => string[]): Promise<void> {
  const base = merger.head();
  const attempts = Array.from({ length: FEATURES * LANDINGS_EACH }, (_, nth) => {
    const file = nth % FILES;
    const changed = lines(file);
    changed[(Math.floor(nth / FILES) * 13) % changed.length] = `changed by ${nth}`;
    const taskId = `feature-${nth % FEATURES}-${Math.floor(nth / FEATURES)}`;
    return { taskId, base, files: { [`src/${file}.js`]: `${changed.join("\n")}\n` } };
  });
  await merger.store(attempts);
  await merger.request(attempts);
  for (const { taskId } of attempts) await merger.outcome(taskId);
}

/** The trunk's landings, the newest first. */
function readLandings({ origin }: TestMerger): { commit: string; taskId: string }[] {
  const format = "--format=%H %(trailers:key=Swarm-Task,valueonly,separator=)";
  const log = execFileSync("git", ["log", format, "main"], { cwd: origin, encoding: "utf8" });
  return log.split("\n").flatMap((line) => {
    const [commit = "", taskId = ""] = line.split(" ");
    return taskId === "" ? [] : [{ commit, taskId }];
  });
}

async function revert(merger: TestMerger, taskId: string, landings: string[]): Promise<number> {
  const { connection, home, origin } = merger;
  const store = await openStore({ dir: join(home, "store.git") });
  const from = performance.now();
  const order = { repoDir: origin, store, taskId, attempt: 1, tip: merger.head(), landings };
  const made = await makeRevert({ ...order, message: `Revert ${taskId}` });
  if (made.kind !== "made") throw new Error(`the revert of ${taskId} was not made: ${made.kind}`);
  const { base: baseCommit, head: headCommit } = made;
  const about = { taskId, attempt: 1, headCommit };
  const handoff = { ...about, round: 1, outcome: "complete", end: "submitted", summary: "" } as const;
  const request = {
    ...about,
    featureId: "feature-1",
    repoId: DEFAULT_REPO,
    ref: attemptRef(taskId, 1),
    baseCommit,
    title: `Revert ${taskId}`,
    approvedBy: "bench",
    approvedHead: headCommit,
    handoff: { ...handoff, ...NO_NOTES, metrics: NO_METRICS, model: "none" },
  };
  await createSender(connection, "bench").send("merge", request, { jobId: jobId.merge(taskId, 1, true) });
  const outcome = await merger.outcome(taskId);
  if (outcome.kind !== "landed") throw new Error(`the revert of ${taskId} did not land: ${outcome.kind}`);
  return performance.now() - from;
}
