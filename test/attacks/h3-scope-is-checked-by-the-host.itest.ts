import { afterAll, beforeAll, expect, test } from "vitest";
import { openArena, type Arena } from "../../packages/git/testing/arena.ts";
import { takeCommits } from "../../services/dispatcher/src/take-commits.ts";
import { makeHandoff } from "../support/make-handoff.ts";

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena[Symbol.dispose]());

/** A runner that was taken over hands its commits in without the check of its own. */
async function handIn(scope: readonly string[]) {
  const head = arena.commit(arena.onBase([{ mode: "100644", name: "c.txt", id: arena.blob("c\n") }]));
  const repo = { store: arena.store, mirror: { dir: arena.mirror } } as Parameters<typeof takeCommits>[0];
  const handoff = makeHandoff({ taskId: "task", attempt: 1, headCommit: head });
  const from = { bundlePath: arena.bundle(head), baseCommit: arena.base, scope };
  return takeCommits(repo, handoff, from);
}

test("commits outside the task's scope do not land, whatever the runner says", async () => {
  const taken = await handIn(["src/**", "a.txt"]);
  const why = "the attempt changes paths outside its scope: c.txt (scope: src/**, a.txt)";
  expect(taken).toMatchObject({
    stored: false,
    unsafe: why,
    handoff: { outcome: "failed", headCommit: null },
  });
});

test("commits inside the scope are stored", async () => {
  expect(await handIn(["*.txt"])).toMatchObject({ stored: true, unsafe: null });
  expect(await handIn([])).toMatchObject({ stored: true, unsafe: null });
});
