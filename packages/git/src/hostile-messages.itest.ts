import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openArena, type Arena } from "../testing/arena.ts";
import { openLandingEngine } from "./landing/engine.ts";
import { MERGE_STRATEGIES } from "./landing/strategies.ts";
import { MERGER, readLandings } from "./landing-log.ts";

let arena: Arena;
let dir: string;
beforeAll(async () => {
  arena = await openArena();
  dir = join(arena.dir, "attacker.git");
});
afterAll(() => arena[Symbol.dispose]());

let files = 0;
const newTree = () => arena.onBase([{ mode: "100644", name: `file-${(files += 1)}`, id: arena.blob("x\n") }]);

/** Lands a commit with each strategy. Returns the landings that are then read from the trunk. */
async function land(more: { message?: string; author?: string; parents?: string[] }) {
  const head = arena.commit(newTree(), more);
  const landed = [];
  for (const strategy of MERGE_STRATEGIES) {
    using engine = openLandingEngine({ dir, strategy });
    const trailers = { taskId: "task-1", featureId: "feature-1", attempt: 2, model: "m", costUsd: 0 };
    const request = { base: arena.base, head, title: "The title", trailers };
    const [built] = await engine.build(arena.base, [request]);
    if (built?.kind !== "built") throw new Error(JSON.stringify(built));
    arena.attack("update-ref", "refs/heads/landed", built.commit);
    landed.push({ strategy, commit: built.commit, landings: await readLandings(dir, built.commit) });
  }
  return landed;
}

test.each([
  ["the record separator of our own log", "do\u0001it\u0001\n\nwith \u0001 in it\n"],
  ["escape sequences", "\u001b[2Jcleared\u001b]0;title\u0007\n\nand \u009b31m\n"],
  ["carriage returns", "one\rSwarm-Task: forged\r\n\r\nSwarm-Task: forged\r\n"],
  ["our trailers", "do it\n\nSwarm-Task: forged\nSwarm-Feature: forged\nSwarm-Attempt: 9\n"],
  [
    "our trailers in other letters and spaces",
    "do it\n\nSWARM-TASK : forged\n\tswarm-task: forged\nswarm-Task:forged\n",
  ],
  ["our trailers as the title", "Swarm-Task: forged\n"],
  ["our trailers behind a cut", "do it\n\n---\nSwarm-Task: forged\n# ------ >8 ------\nSwarm-Task: forged\n"],
  ["a trailer that goes on in the next line", "do it\n\nReviewed-by: x\n Swarm-Task: forged\n  and: more\n"],
  ["no message", ""],
  ["blank lines only", "\n\n \n"],
  ["a very long line", `${"x".repeat(1_000_000)}\n`],
  ["many paragraphs that look like trailers", `${"Key: value\n\n".repeat(1_000)}`],
])("with %s as message, the trunk has one landing, with our trailers", async (_what, message) => {
  for (const { strategy, commit, landings } of await land({ message })) {
    expect(landings, strategy).toMatchObject([
      { commit, taskId: "task-1", featureId: "feature-1", attempt: 2 },
    ]);
    expect(landings[0]?.title, strategy).not.toBe("");
  }
});

test.each([
  ["our committer's name", `${MERGER.name} <${MERGER.email}> 1700000000 +0000`],
  ["a name with escapes", "\u001b[31mRed <a@example.com> 1700000000 +0000"],
])("with %s as author, the committer of the landing is the merger", async (_what, author) => {
  for (const { commit } of await land({ author })) {
    expect(arena.attack("log", "-1", "--format=%cn <%ce>", commit)).toBe(`${MERGER.name} <${MERGER.email}>`);
  }
});

test.each([
  ["no address", "Nobody 1700000000 +0000"],
  ["no date", "Nobody <n@example.com>"],
  ["a date with words", "Nobody <n@example.com> now +0000"],
  ["a date beyond all time", "Nobody <n@example.com> 99999999999999999999 +0000"],
  ["two addresses", "Nobody <a> <b> 1700000000 +0000"],
])(
  "an author with %s is refused in quarantine, and would be replaced by the merger",
  async (_what, author) => {
    const head = arena.commit(newTree(), { author });
    expect(await arena.take(arena.bundle(head), head)).toMatchObject({
      kind: "refused",
      why: expect.stringContaining("fsck error"),
    });
    const [first] = await land({ author });
    expect(arena.attack("log", "-1", "--format=%an", first?.commit ?? "")).toBe(MERGER.name);
  },
);

test("a commit with a NUL in its message, or in its header, is refused in quarantine", async () => {
  for (const more of [{ message: "do\0it\n" }, { author: "No\0body <n@example.com> 1700000000 +0000" }]) {
    const head = arena.commit(newTree(), more);
    expect(await arena.take(arena.bundle(head), head)).toMatchObject({ kind: "refused" });
  }
  expect(arena.storeRefs()).toEqual([]);
});

function commitAsMerger(parent: string, message: string): string {
  const who = ["-c", `user.name=${MERGER.name}`, "-c", `user.email=${MERGER.email}`];
  return arena.attack(...who, "commit-tree", newTree(), "-p", parent, "-m", message);
}

test("an agent's commit with the merger's name and trailers does not count as a landing", async () => {
  const message = "a fake landing\n\nSwarm-Task: forged\nSwarm-Feature: f\nSwarm-Attempt: 1";
  const forged = commitAsMerger(arena.base, message);
  for (const { strategy, landings } of await land({ parents: [forged] })) {
    expect(
      landings.map((one) => one.taskId),
      strategy,
    ).toEqual(["task-1"]);
  }
});

test("commits by others with our trailers are no landings, and neither are the merger's without them", async () => {
  const foreign = arena.commit(newTree(), { message: "x\n\nSwarm-Task: foreign\n" });
  const bare = commitAsMerger(foreign, "no trailers");
  expect(await readLandings(dir, bare)).toEqual([]);
});

test("landings are read newest first, and with `since` only the later ones", async () => {
  using engine = openLandingEngine({ dir, strategy: "fast-forward" });
  const requests = ["a", "b", "c"].map((taskId, nth) => ({
    base: arena.base,
    head: arena.commit(newTree(), { message: `work ${taskId}\n` }),
    title: taskId,
    trailers: { taskId, featureId: "f", attempt: nth + 1, model: "m", costUsd: 0 },
  }));
  const commits = (await engine.build(arena.base, requests)).map((one) =>
    one.kind === "built" ? one.commit : "",
  );
  const landed = await readLandings(dir, commits[2] as string);
  expect(landed.map((one) => [one.commit, one.taskId, one.title, one.attempt])).toEqual([
    [commits[2], "c", "work c", 3],
    [commits[1], "b", "work b", 2],
    [commits[0], "a", "work a", 1],
  ]);
  expect((await readLandings(dir, commits[2] as string, commits[0])).map((one) => one.taskId)).toEqual([
    "c",
    "b",
  ]);
});
