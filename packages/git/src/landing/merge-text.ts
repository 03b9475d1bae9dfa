import { TEXT_LIMITS } from "../content-limits.ts";
import { mergeFile } from "./merge-file.ts";
import { mergeLines } from "./merge-lines.ts";

/** Git takes a file for binary when it has a NUL within so many bytes. */
const BINARY_WITHIN_BYTES = 8_000;
const NEWLINE = 0x0a;

/** Merges the contents of a file that both sides changed. Null: they conflict. */
export type TextMerge = (base: Buffer, ours: Buffer, theirs: Buffer) => Promise<Buffer | null>;

/**
 * Opens the text merges of one landing. They give git's result, but binary files, very large texts, and all that remain
 * once TEXT_LIMITS.totalMs have passed are conflicts: an attempt of large texts must not hold up the landings behind it.
 */
export function openTextMerge(): TextMerge {
  let spentMs = 0;
  return async (base, ours, theirs) => {
    const sides = [base, ours, theirs];
    if (spentMs > TEXT_LIMITS.totalMs || sides.some((side) => isBinary(side) || isTooLarge(side)))
      return null;
    const from = performance.now();
    const quick = sides.some(isLarge) ? null : mergeLines(base, ours, theirs);
    const merged = quick ?? (await mergeFile(base, ours, theirs));
    spentMs += performance.now() - from;
    return merged;
  };
}

function isBinary(side: Buffer): boolean {
  return side.subarray(0, BINARY_WITHIN_BYTES).includes(0);
}

function isTooLarge(side: Buffer): boolean {
  return side.length > TEXT_LIMITS.mergedBytes;
}

/** Whether a merge in this process would take so long that nothing else here could run meanwhile. */
function isLarge(side: Buffer): boolean {
  if (side.length > TEXT_LIMITS.inProcessBytes) return true;
  let lines = 0;
  for (let at = side.indexOf(NEWLINE); at !== -1; at = side.indexOf(NEWLINE, at + 1)) {
    lines += 1;
    if (lines > TEXT_LIMITS.inProcessLines) return true;
  }
  return false;
}
