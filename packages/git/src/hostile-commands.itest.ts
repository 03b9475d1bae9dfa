import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptRef } from "@agentswarm/contracts";
import { openArena, type Arena } from "../testing/arena.ts";
import { openLandingEngine } from "./landing/engine.ts";
import { MERGE_STRATEGIES } from "./landing/strategies.ts";
import { originAddress } from "./origin-address.ts";
import { openMirror } from "./mirror.ts";
import { fetchAttempts } from "./store.ts";

/**
 * A tree cannot contain a command that git runs, but it can select one that the user's configuration names. So this user's
 * configuration has one of every kind, and each leaves a file when it runs.
 */
let arena: Arena;
const home = process.env["HOME"];
beforeAll(async () => {
  arena = await openArena();
  const hooks = join(arena.dir, "hooks");
  mkdirSync(hooks);
  const hookNames = [
    "reference-transaction",
    "post-update",
    "pre-receive",
    "post-merge",
    "post-index-change",
  ];
  for (const name of hookNames) {
    writeFileSync(join(hooks, name), `#!/bin/sh\n${arena.plant}\n`);
    chmodSync(join(hooks, name), 0o755);
  }
  const config = `[core]
	hooksPath = ${hooks}
	fsmonitor = "${arena.plant};"
	pager = "${arena.plant};"
[merge "evil"]
	driver = ${arena.plant}
[diff]
	external = "${arena.plant};"
[diff "evil"]
	command = "${arena.plant};"
	textconv = "${arena.plant};"
[filter "evil"]
	clean = ${arena.plant}
	smudge = ${arena.plant}
	process = ${arena.plant}
	required = true
[color]
	ui = always
`;
  writeFileSync(join(arena.dir, ".gitconfig"), config);
  process.env["HOME"] = arena.dir;
});
afterAll(() => {
  process.env["HOME"] = home;
  arena[Symbol.dispose]();
});

const ATTRIBUTES = "* filter=evil diff=evil merge=evil ident\n";
const regular = (name: string, content: string, mode = "100644") => ({ mode, name, id: arena.blob(content) });
const folder = (name: string, ...entries: Parameters<Arena["tree"]>[0]) => ({
  mode: "40000",
  name,
  id: arena.tree(entries),
});

/** A tree with everything that a program may run: hooks, attributes, submodules, configuration, scripts. */
function loaded(a: string): string {
  const script = `#!/bin/sh\n${arena.plant}\n`;
  const hook = regular("post-checkout", script, "100755");
  const config = regular("config", `[core]\n\tfsmonitor = "${arena.plant};"\n`);
  const modules = `[submodule "x"]\n\tpath = x\n\turl = ext::sh -c ${arena.plant.replace(" ", "% ")}\n`;
  return arena.onBase([
    regular(".gitattributes", ATTRIBUTES),
    folder(".githooks", hook),
    regular(".gitmodules", modules),
    folder(".husky", hook),
    // Looks like a bare repository.
    regular("HEAD", "ref: refs/heads/main\n"),
    regular("a.txt", a),
    regular("b.txt", "b\nand\nso\non\nmore\n"),
    config,
    folder("hooks", hook, regular("reference-transaction", script, "100755")),
    folder("objects", regular("x", "")),
    regular("package.json", `{"scripts":{"prepare":"${arena.plant}"}}`),
    folder("refs", regular("x", "")),
  ]);
}

test("no command that an attempt selects runs in quarantine, in the store, in a merge or in a read", async () => {
  const head = arena.commit(loaded("one\ntwo\nTHREE\n"));
  const taken = await arena.take(arena.bundle(head), head);
  expect(taken).toMatchObject({ kind: "accepted" });
  expect(arena.plantRan(), "in quarantine").toBe(false);

  // The trunk has changed one of the files and renamed another, so that git itself has to merge.
  const moved = arena.tree([
    regular(".gitattributes", ATTRIBUTES),
    regular("a.txt", "ONE\ntwo\nthree\n"),
    regular("moved.txt", "b\nand\nso\non\n"),
  ]);
  const trunk = arena.commit(moved);
  arena.attack("update-ref", "refs/heads/main", trunk);
  // Only some versions of git read the .gitattributes of HEAD in a bare repository; all of them read this file.
  for (const dir of [arena.mirror, arena.store.dir]) writeFileSync(join(dir, "info/attributes"), ATTRIBUTES);
  using mirror = await openMirror({
    origin: originAddress(join(arena.dir, "attacker.git")),
    dir: arena.mirror,
    trunk: "main",
  });
  await fetchAttempts(arena.store, mirror.dir, [attemptRef("task", 1)]);
  expect(arena.plantRan(), "on the way to the mirror").toBe(false);

  for (const strategy of MERGE_STRATEGIES) {
    using engine = openLandingEngine({ dir: mirror.dir, strategy });
    const trailers = { taskId: "task", featureId: "feature", attempt: 1, model: "m", costUsd: 0 };
    const [built] = await engine.build(trunk, [{ base: arena.base, head, title: "t", trailers }]);
    if (built?.kind !== "built") throw new Error(JSON.stringify(built));
    expect(await engine.readFile(built.commit, "a.txt")).toBe("ONE\ntwo\nTHREE\n");
    expect(await engine.readFile(built.commit, "moved.txt")).toBe("b\nand\nso\non\nmore\n");
    const paths = (await engine.changes(arena.base, head)).map((change) => change.path);
    expect(paths).toContain("hooks/post-checkout");
    await engine.readFile(head, "a.txt");
  }
  expect(arena.plantRan(), "in a merge").toBe(false);

  expect(await mirror.diffStats([head])).toEqual([expect.stringMatching(/^ a\.txt +\| +2 \+-$/m) as string]);
  expect(await mirror.readFile(head, "a.txt")).toBe("one\ntwo\nTHREE\n");
  expect(await mirror.listFiles(head)).toContain(".gitattributes");
  expect(await mirror.recentCommits(head, 5)).toHaveLength(2);
  expect(arena.plantRan(), "in a read").toBe(false);
  expect(arena.storeRefs()).toEqual([attemptRef("task", 1)]);

  // A git with this user's configuration does run a command, so the test can fail.
  spawnSync("git", ["merge-tree", "--write-tree", trunk, head], { cwd: mirror.dir });
  expect(arena.plantRan(), "the plant").toBe(true);
});
