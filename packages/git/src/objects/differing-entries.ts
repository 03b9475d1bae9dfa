import { compareEntries, entryEnd, readEntry, sameEntry, type TreeEntry } from "./tree-object.ts";

/** One name that differs between two trees. */
export interface Difference {
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

/**
 * The names that differ between two tree objects; the list is cut off once it is longer than `most`. Entries that are the same bytes on
 * both sides are skipped undecoded, so a large folder in which one file changed costs little.
 */
export function differingEntries(before: Buffer, after: Buffer, most: number): Difference[] {
  const found = new Map<string, { before?: TreeEntry; after?: TreeEntry }>();
  const note = (side: "before" | "after", entry: TreeEntry) =>
    found.set(entry.name, { ...found.get(entry.name), [side]: entry });
  let [at, other] = [0, 0];
  while ((at < before.length || other < after.length) && found.size <= most) {
    const left = at < before.length ? entryEnd(before, at) : null;
    const right = other < after.length ? entryEnd(after, other) : null;
    if (left !== null && right !== null && before.compare(after, other, right, at, left) === 0) {
      [at, other] = [left, right];
      continue;
    }
    const was = left === null ? undefined : readEntry(before, at, left);
    const is = right === null ? undefined : readEntry(after, other, right);
    const order = was === undefined ? 1 : is === undefined ? -1 : compareEntries(was, is);
    if (was !== undefined && left !== null && order <= 0) {
      note("before", was);
      at = left;
    }
    if (is !== undefined && right !== null && order >= 0) {
      note("after", is);
      other = right;
    }
  }
  const differences = [...found.values()].map((one) => ({ before: one.before, after: one.after }));
  // An entry is the same on both sides here only when a tree is out of order. In a list that is cut off, none is dropped.
  return found.size > most ? differences : differences.filter((one) => !sameEntry(one.before, one.after));
}
