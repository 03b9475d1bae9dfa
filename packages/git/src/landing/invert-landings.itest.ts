import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCommits } from "../../testing/make-commits.ts";
import type { Files } from "../../testing/histories.ts";
import { seededRandom } from "../../../../test/support/seeded-random.ts";
import { makeRevert } from "../make-revert.ts";
import { fetchAttempts, openStore, type Store } from "../store.ts";
import { openLandingEngine, type LandingEngine } from "./engine.ts";
import type { LandingRequest } from "./landing.ts";
import type { MergeStrategy } from "./strategies.ts";

let parent: string;
let dir: string;
let store: Store;
let attempts = 0;
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), "swarm-revert-"));
  dir = join(parent, "origin.git");
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", dir]);
  store = await openStore({ dir: join(parent, "store.git") });
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const FILES = 8;
const LINES = 60;
const text = (content: string) => ({ mode: "100644", content });
const BASE: Files = Object.fromEntries(
  Array.from({ length: FILES }, (_, file) => [
    `src/${file}.txt`,
    text(Array.from({ length: LINES }, (_, line) => `line ${line} of ${file}\n`).join("")),
  ]),
);

/** What one landing changes. */
interface Edit {
  readonly feature: number;
  readonly file: number;
  readonly line: number;
  readonly what: "change" | "insert" | "add";
  /** How many landings before it its attempt started from. */
  readonly behind: number;
}

interface Landed {
  readonly feature: number;
  readonly commit: string;
  readonly request: LandingRequest;
}

const requestOf = (base: string, head: string, taskId: string, feature: number): LandingRequest => ({
  base,
  head,
  title: taskId,
  trailers: { taskId, featureId: `feature-${feature}`, attempt: 1, model: "none", costUsd: 0 },
});

/** Lands edits one after the other, as parallel attempts do. What conflicts does not land. */
async function landAll(engine: LandingEngine, edits: readonly Edit[]) {
  const [base = ""] = makeCommits(dir, [{ files: BASE }]);
  const states: { commit: string; files: Files }[] = [{ commit: base, files: BASE }];
  const landed: Landed[] = [];
  for (const [nth, edit] of edits.entries()) {
    const from = states[Math.max(0, states.length - 1 - edit.behind)] ?? { commit: base, files: BASE };
    const files = apply(from.files, edit, nth);
    const [head = ""] = makeCommits(dir, [{ files, on: from.commit, message: `edit ${nth}` }]);
    const request = requestOf(from.commit, head, `task-${nth}`, edit.feature);
    const [built] = await engine.build(states.at(-1)?.commit ?? base, [request]);
    if (built?.kind !== "built") continue;
    landed.push({ feature: edit.feature, commit: built.commit, request });
    states.push({ commit: built.commit, files: await filesOf(engine, built.commit, edits.length) });
  }
  return { base, tip: states.at(-1)?.commit ?? base, landed };
}

/** Lands edits that all start from the same commit, in one group: the fast way to a long trunk. */
async function landTogether(engine: LandingEngine, edits: readonly Edit[]) {
  const sides = edits.map((edit, nth) => ({
    files: apply(BASE, edit, nth),
    parent: 0,
    message: `edit ${nth}`,
  }));
  const [base = "", ...heads] = makeCommits(dir, [{ files: BASE }, ...sides]);
  const requests = heads.map((head, nth) => requestOf(base, head, `task-${nth}`, edits[nth]?.feature ?? 0));
  const built = await engine.build(base, requests);
  const landed = built.flatMap((one, nth): Landed[] => {
    const request = requests[nth];
    if (one.kind !== "built" || request === undefined) return [];
    return [{ feature: edits[nth]?.feature ?? 0, commit: one.commit, request }];
  });
  return { base, tip: landed.at(-1)?.commit ?? base, landed };
}

function apply(files: Files, { file, line, what }: Edit, nth: number): Files {
  if (what === "add") return { ...files, [`added/${nth}.txt`]: text(`new ${nth}\n`) };
  const path = `src/${file}.txt`;
  const lines = (files[path]?.content ?? "").split("\n");
  const at = line % Math.max(1, lines.length - 1);
  lines.splice(at, what === "change" ? 1 : 0, `${what} ${nth}`);
  return { ...files, [path]: text(lines.join("\n")) };
}

async function filesOf(engine: LandingEngine, commit: string, edits: number): Promise<Files> {
  const added = Array.from({ length: edits }, (_, nth) => `added/${nth}.txt`);
  const paths = [...Object.keys(BASE), ...added];
  const found = await Promise.all(paths.map((path) => engine.readFile(commit, path)));
  return Object.fromEntries(
    paths.flatMap((path, nth) => (found[nth] === null ? [] : [[path, text(found[nth] ?? "")]])),
  );
}

const treeOf = (commit: string) =>
  execFileSync("git", ["rev-parse", `${commit}^{tree}`], { cwd: dir, encoding: "utf8" }).trim();

/** Takes a feature back as dispatcher and merger do. Null: it conflicts. */
async function revert(
  engine: LandingEngine,
  tip: string,
  landings: readonly string[],
): Promise<string | null> {
  attempts += 1;
  const order = { repoDir: dir, store, taskId: "revert", attempt: attempts, tip, landings };
  const made = await makeRevert({ ...order, message: "Revert it" });
  if (made.kind === "conflict") return null;
  if (made.kind === "nothing") return tip;
  await fetchAttempts(store, dir, [`refs/swarm/revert/${attempts}`]);
  const [built] = await engine.build(tip, [requestOf(made.base, made.head, `revert-${attempts}`, 0)]);
  if (built?.kind === "conflict") return null;
  return built?.kind === "built" ? built.commit : tip;
}

/** The tree after the landings of these features alone; null where one of them needs what is left out. */
async function replay(
  engine: LandingEngine,
  base: string,
  landed: readonly Landed[],
): Promise<string | null> {
  const built = await engine.build(
    base,
    landed.map(({ request }) => request),
  );
  if (built.some(({ kind }) => kind !== "built")) return null;
  const last = built.at(-1);
  return last?.kind === "built" ? last.tree : treeOf(base);
}

/** Reverts features in this order. Returns how many were taken back, how many conflicted, and how long each took. */
async function check(
  strategy: MergeStrategy,
  land: (engine: LandingEngine) => ReturnType<typeof landAll>,
  order: readonly number[],
) {
  using engine = openLandingEngine({ dir, strategy });
  const { base, tip, landed } = await land(engine);
  const gone = new Set<number>();
  const tookMs: number[] = [];
  let [at, conflicts, compared] = [tip, 0, 0];
  for (const feature of order) {
    const landings = landed.filter((one) => one.feature === feature).map(({ commit }) => commit);
    if (landings.length === 0 || gone.has(feature)) continue;
    const begun = performance.now();
    const reverted = await revert(engine, at, landings.toReversed());
    tookMs.push(performance.now() - begun);
    if (reverted === null) {
      conflicts += 1;
      continue;
    }
    at = reverted;
    gone.add(feature);
    const kept = landed.filter((one) => !gone.has(one.feature));
    const expected = await replay(engine, base, kept);
    if (expected === null) continue;
    expect(treeOf(at)).toBe(expected);
    compared += 1;
  }
  return { reverted: gone.size, conflicts, compared, tookMs };
}

test("fifty features interleaved on one trunk: ten are taken back in any order, each as if it had never landed", async () => {
  const random = seededRandom(7);
  const below = (end: number) => Math.floor(random() * end);
  const edits = Array.from({ length: 100 }, (_, nth): Edit => ({
    feature: nth % 50,
    file: below(FILES),
    line: below(LINES),
    what: (["change", "insert", "add"] as const)[below(3)] ?? "add",
    behind: 0,
  }));
  const order = [41, 3, 17, 28, 9, 0, 49, 22, 35, 12];
  const { reverted, conflicts, tookMs, compared } = await check(
    "fast-forward",
    (engine) => landTogether(engine, edits),
    order,
  );
  expect([reverted + conflicts, compared]).toEqual([10, reverted]);
  expect(reverted).toBeGreaterThan(7);
  expect(Math.max(...tookMs)).toBeLessThan(10_000);
});

test("with rebase every commit of a landing is taken back, and no commit before it", async () => {
  const first = { ...BASE, "one.txt": text("1\n") };
  const [base = "", , head = ""] = makeCommits(dir, [
    { files: BASE },
    { files: first, parent: 0, message: "Add one" },
    { files: { ...first, "two.txt": text("2\n") }, parent: 1, message: "Add two" },
  ]);
  using engine = openLandingEngine({ dir, strategy: "rebase" });
  const [built] = await engine.build(base, [requestOf(base, head, "task-two", 1)]);
  const tip = built?.kind === "built" ? built.commit : "";
  const reverted = await revert(engine, tip, [tip]);
  expect(treeOf(reverted ?? "")).toBe(treeOf(base));
});

const edit = fc.record({
  feature: fc.nat(4),
  file: fc.nat(1),
  line: fc.nat(LINES - 1),
  what: fc.constantFrom("change", "insert", "add"),
  behind: fc.nat(3),
});

test.each<MergeStrategy>(["fast-forward", "merge-commit"])(
  "with %s, whatever the order: the tree of a replay without them, or a conflict",
  async (strategy) => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { minLength: 3, maxLength: 8 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1, maxLength: 3 }),
        async (edits, order) => {
          taken += (await check(strategy, (engine) => landAll(engine, edits), order)).compared;
        },
      ),
      { numRuns: Number(process.env["MERGE_RUNS"] ?? 3) },
    );
    expect(taken).toBeGreaterThan(0);
  },
);
