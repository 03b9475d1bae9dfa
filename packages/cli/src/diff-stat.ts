/** A diff without its patches: what is said of each attempt, and the lines added and removed of each file. */
export function diffStat(diff: string): string {
  let inPatch = false;
  const kept = diff.split("\n").filter((line) => {
    // Lines of a patch begin with one of other characters, so that no file can end it.
    if (line.startsWith("# ")) inPatch = false;
    else if (line.startsWith("diff --git ")) inPatch = true;
    return !inPatch;
  });
  return kept.join("\n");
}
