import type { LandingMode, ReviewSettings, TaskKind } from "@agentswarm/contracts";
import { listNames } from "./list-names.ts";
import { matcherOf } from "./match-protected.ts";

export interface ReviewFacts {
  /** Files that the attempt adds, changes or deletes. */
  readonly files: readonly string[];
  /** Lines that it adds or removes; null: they cannot be counted. */
  readonly lines: number | null;
  /** The task's; undefined when an older dispatcher sent the attempt. */
  readonly kind: TaskKind | undefined;
}

/** Why a person looks at an attempt before it lands; null: by LANDING nobody has to. Names every rule that applies. */
export function whyReview(landing: LandingMode, rules: ReviewSettings, facts: ReviewFacts): string | null {
  if (landing === "trunk") return null;
  if (landing === "hold") return "every landing waits for a person (LANDING=hold)";
  const reasons = [
    whyPaths(rules.paths, facts.files),
    whySize("files", rules.files, facts.files.length),
    whySize("lines", rules.lines, facts.lines),
    whyKind(rules.kinds, facts.kind),
  ].filter((one) => one !== null);
  return reasons.length === 0
    ? null
    : `a person looks at it by "review" in swarm.json: ${reasons.join(", ")}`;
}

function whyPaths(globs: readonly string[], files: readonly string[]): string | null {
  const matches = matcherOf(globs);
  const matched = files.filter((path) => matches(path));
  return matched.length === 0 ? null : `it changes ${listNames(matched)}`;
}

function whySize(what: "files" | "lines", most: number | undefined, count: number | null): string | null {
  if (most === undefined || (count !== null && count <= most)) return null;
  return count === null
    ? `its ${what} cannot be counted, as those of a binary file (most: ${most})`
    : `it changes ${count} ${what} (most: ${most})`;
}

function whyKind(kinds: readonly TaskKind[], kind: TaskKind | undefined): string | null {
  if (kinds.length === 0) return null;
  if (kind === undefined) return "the kind of its task is not known";
  return kinds.includes(kind) ? `its task is of kind ${kind}` : null;
}
