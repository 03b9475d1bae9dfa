import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuiltLanding, LandingRequest } from "../src/landing/landing.ts";

/** The reference for the landing engine: `git merge --no-ff` in a work tree, one attempt after the other. */
export interface ReferenceEngine extends Disposable {
  build(tip: string, requests: readonly LandingRequest[]): Promise<BuiltLanding[]>;
}

export function openReferenceEngine(dir: string): ReferenceEngine {
  const parent = mkdtempSync(join(tmpdir(), "swarm-reference-"));
  const work = join(parent, "work");
  execFileSync("git", ["clone", "-q", "--shared", "--no-checkout", dir, work]);
  const who = ["-c", "user.name=Reference", "-c", "user.email=reference@example.com"];
  const git = (...args: string[]) =>
    execFileSync("git", [...who, ...args], { cwd: work, encoding: "utf8" }).trimEnd();

  const merge = (request: LandingRequest): BuiltLanding => {
    const before = git("rev-parse", "HEAD^{tree}");
    const args = [...who, "merge", "--quiet", "--no-ff", "-m", request.title, request.head];
    if (spawnSync("git", args, { cwd: work }).status !== 0) {
      const names = git("diff", "-z", "--name-only", "--diff-filter=U").split("\0").filter(Boolean);
      git("merge", "--abort");
      const paths = names.map((path) => ({ path, base: null, ours: null, theirs: null }));
      return { kind: "conflict", paths };
    }
    const [commit = "", tree = ""] = git("rev-parse", "HEAD", "HEAD^{tree}").split("\n");
    return tree === before ? { kind: "empty" } : { kind: "built", commit, tree };
  };
  return {
    async build(tip, requests) {
      git("fetch", "-q", dir, "+refs/*:refs/from/*");
      git("checkout", "-q", "--detach", tip);
      return requests.map(merge);
    },
    [Symbol.dispose]: () => rmSync(parent, { recursive: true, force: true }),
  };
}
