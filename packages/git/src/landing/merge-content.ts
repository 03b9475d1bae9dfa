import { mergeFile } from "./merge-file.ts";
import { mergeLines } from "./merge-lines.ts";

/** Git takes a file for binary when it finds a NUL this early. */
const LOOKED_AT = 8_000;

/** One file that both sides changed, merged as git does. Null: they conflict, or are binary. */
export async function mergeContent(base: Buffer, ours: Buffer, theirs: Buffer): Promise<Buffer | null> {
  if ([base, ours, theirs].some((side) => side.subarray(0, LOOKED_AT).includes(0))) return null;
  return mergeLines(base, ours, theirs) ?? mergeFile(base, ours, theirs);
}
