import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Inspection } from "../src/inspect-commits.ts";
import { fetchQuarantined } from "../src/fetch-quarantined.ts";
import { openStore, type Store } from "../src/store.ts";

export interface RawEntry {
  readonly mode: string;
  /** One character per byte. */
  readonly name: string;
  readonly id: string;
}

/** An attacker's repository, and the mirror and the store that it attacks. */
export interface Arena extends Disposable {
  readonly dir: string;
  readonly mirror: string;
  readonly store: Store;
  /** The commit that attempts start from. */
  readonly base: string;
  /** A shell command for the attacker to hide in trees and settings. */
  readonly plant: string;
  /** Whether the command ran. */
  plantRan(): boolean;
  /** Runs git in the attacker's repository. Returns its output. */
  attack(...args: string[]): string;
  blob(content: string | Buffer): string;
  /** Writes a tree unchecked. */
  tree(entries: readonly RawEntry[]): string;
  /** Writes a commit of that tree; its parent is the base unless `parents` are given. */
  commit(tree: string, more?: { parents?: readonly string[]; message?: string; author?: string }): string;
  /** Writes the base's tree with these entries added or replaced. */
  onBase(entries: readonly RawEntry[]): string;
  /** A bundle, made by git, of the objects that the base lacks. */
  bundle(head: string): string;
  /** A bundle of these bytes. */
  forge(header: string, pack: Buffer): string;
  /** A pack of the objects that the base lacks. */
  pack(head: string): Buffer;
  /** A pack of exactly these objects. */
  packOf(ids: readonly string[]): Buffer;
  take(bundlePath: string, headCommit: string): Promise<Inspection>;
  /** Checks the store with git, and returns its refs. */
  storeRefs(): string[];
}

const file = (name: string, id: string): RawEntry => ({ mode: "100644", name, id });

export async function openArena(): Promise<Arena> {
  const dir = mkdtempSync(join(tmpdir(), "swarm-arena-"));
  const [work, mirror, canary] = ["attacker.git", "mirror.git", "canary"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  const run = (cwd: string, args: readonly string[], input: string | Buffer = "") =>
    execFileSync("git", args, {
      cwd,
      input,
      // The user's configuration of a test is for the code under test only.
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
      maxBuffer: 1 << 28,
      stdio: ["pipe", "pipe", "pipe"],
    });
  const runText = (cwd: string, args: readonly string[], input: string | Buffer = "") =>
    run(cwd, args, input).toString("utf8").trimEnd();
  const object = (type: string, body: Buffer) =>
    runText(work, ["hash-object", "-t", type, "-w", "--literally", "--stdin"], body);

  for (const bare of [work, mirror]) {
    mkdirSync(bare);
    run(bare, ["init", "-q", "--bare", "-b", "main"]);
  }
  const blob = (content: string | Buffer) => object("blob", Buffer.from(content));
  const tree = (entries: readonly RawEntry[]) =>
    object(
      "tree",
      Buffer.concat(
        entries.flatMap(({ mode, name, id }) => [
          Buffer.from(`${mode} ${name}\0`, "latin1"),
          Buffer.from(id, "hex"),
        ]),
      ),
    );
  const commit: Arena["commit"] = (of, more = {}) => {
    const parents = (more.parents ?? [base]).map((parent) => `parent ${parent}\n`).join("");
    const author = more.author ?? "Agent <agent@example.com> 1700000000 +0000";
    const committer = "Agent <agent@example.com> 1700000000 +0000";
    const head = `tree ${of}\n${parents}author ${author}\ncommitter ${committer}\n`;
    return object("commit", Buffer.from(`${head}\n${more.message ?? "work\n"}`));
  };
  const baseEntries = [file("a.txt", blob("one\ntwo\nthree\n")), file("b.txt", blob("b\nand\nso\non\n"))];
  const base = commit(tree(baseEntries), { parents: [], message: "begin\n" });
  run(work, ["update-ref", "refs/heads/main", base]);
  run(mirror, ["fetch", "-q", work, "main:refs/remotes/origin/main"]);
  const store = await openStore({ dir: join(dir, "store.git") });
  let files = 0;
  const newFile = () => join(dir, `attack-${(files += 1)}.bundle`);
  let attempts = 0;

  return {
    dir,
    mirror,
    store,
    base,
    plant: `touch ${canary}`,
    plantRan: () => existsSync(canary),
    attack: (...args) => runText(work, args),
    blob,
    tree,
    commit,
    onBase(entries) {
      const names = new Set(entries.map(({ name }) => name));
      const all = [...baseEntries.filter(({ name }) => !names.has(name)), ...entries];
      const key = (entry: RawEntry) => (entry.mode === "40000" ? `${entry.name}/` : entry.name);
      return tree(all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)));
    },
    bundle(head) {
      const path = newFile();
      run(work, ["update-ref", "refs/heads/attempt", head]);
      run(work, ["bundle", "create", "-q", path, "refs/heads/attempt", `^${base}`]);
      return path;
    },
    forge(header, pack) {
      const path = newFile();
      writeFileSync(path, Buffer.concat([Buffer.from(header, "latin1"), pack]));
      return path;
    },
    pack: (head) => run(work, ["pack-objects", "--revs", "--thin", "--stdout", "-q"], `${head}\n^${base}\n`),
    packOf: (ids) => run(work, ["pack-objects", "--stdout", "-q"], ids.map((id) => `${id}\n`).join("")),
    take: (bundlePath, headCommit) =>
      fetchQuarantined({
        bundlePath,
        headCommit,
        baseCommit: base,
        repoDir: mirror,
        store,
        taskId: "task",
        attempt: (attempts += 1),
      }),
    storeRefs() {
      run(store.dir, ["fsck", "--strict", "--no-dangling"]);
      const refs = runText(store.dir, ["for-each-ref", "--format=%(refname)"]);
      return refs === "" ? [] : refs.split("\n");
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
