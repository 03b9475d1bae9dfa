/** Lines as latin1 strings with their ends, so that any bytes survive. */
type Lines = readonly string[];

/** Base lines [from, to) became the side's lines [sideFrom, sideTo). */
interface Region {
  readonly from: number;
  readonly to: number;
  readonly sideFrom: number;
  readonly sideTo: number;
}

interface Side {
  readonly lines: Lines;
  readonly regions: readonly Region[];
}

/**
 * Merges one file's contents when the sides changed places that are clearly apart. Null: git must decide.
 *
 * All changes of a side lie inside regions that do not depend on the diff algorithm (see `regionsOf`). Git may slide a
 * change along equal lines, but never across a line that occurs only once. So with such a line between any two regions of
 * different sides, git's merge has no conflict, and its result is the base with all regions replaced.
 */
export function mergeLines(base: Buffer, ours: Buffer, theirs: Buffer): Buffer | null {
  const from = linesOf(base);
  const [left, right] = [sideOf(from, linesOf(ours)), sideOf(from, linesOf(theirs))];
  const isLandmark = landmarks(from, left.lines, right.lines);
  const all = [left, right].flatMap((side) => side.regions.map((region) => ({ side, region })));
  const sorted = all.toSorted((a, b) => a.region.from - b.region.from || a.region.to - b.region.to);

  const merged: string[] = [];
  let at = 0;
  for (const [nth, { side, region }] of sorted.entries()) {
    const before = sorted[nth - 1];
    if (before !== undefined && before.side !== side) {
      if (!from.slice(before.region.to, region.from).some(isLandmark)) return null;
    }
    merged.push(...from.slice(at, region.from), ...side.lines.slice(region.sideFrom, region.sideTo));
    at = region.to;
  }
  merged.push(...from.slice(at));
  return Buffer.from(merged.join(""), "latin1");
}

function linesOf(content: Buffer): Lines {
  return content.toString("latin1").match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function sideOf(base: Lines, lines: Lines): Side {
  return { lines, regions: regionsOf(base, lines) ?? [enclosingRegion(base, lines)] };
}

/**
 * Runs of lines that only one of the two contains, provided that all other lines are the same in the same order: then a
 * diff has nothing else to match. Null: lines are repeated or moved.
 */
function regionsOf(base: Lines, side: Lines): Region[] | null {
  const [inBase, inSide] = [new Set(base), new Set(side)];
  const regions: Region[] = [];
  let [at, sideAt] = [0, 0];
  while (at < base.length || sideAt < side.length) {
    const [from, sideFrom] = [at, sideAt];
    while (at < base.length && !inSide.has(base[at] as string)) at += 1;
    while (sideAt < side.length && !inBase.has(side[sideAt] as string)) sideAt += 1;
    if (at > from || sideAt > sideFrom) regions.push({ from, to: at, sideFrom, sideTo: sideAt });
    if (base[at] !== side[sideAt]) return null;
    at += 1;
    sideAt += 1;
  }
  return regions;
}

/** The region between the common start and the common end, which every diff strips first. */
function enclosingRegion(base: Lines, side: Lines): Region {
  const shorter = Math.min(base.length, side.length);
  let from = 0;
  while (from < shorter && base[from] === side[from]) from += 1;
  let end = 0;
  while (end < shorter - from && base[base.length - 1 - end] === side[side.length - 1 - end]) end += 1;
  return { from, to: base.length - end, sideFrom: from, sideTo: side.length - end };
}

/** Tests whether a line occurs exactly once in each of these files. */
function landmarks(...files: readonly Lines[]): (line: string) => boolean {
  const counts = files.map((lines) => {
    const count = new Map<string, number>();
    for (const line of lines) count.set(line, (count.get(line) ?? 0) + 1);
    return count;
  });
  return (line) => counts.every((count) => count.get(line) === 1);
}
