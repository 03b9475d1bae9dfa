/** What differs between two trees. */
export interface ChangeCounts {
  readonly files: string[];
  readonly linesAdded: number;
  readonly linesRemoved: number;
  readonly filesCreated: number;
  readonly filesModified: number;
}

/** Makes git's diff commands say what `countChanges` reads. */
export const COUNTED = [
  "--raw",
  "--numstat",
  "-z",
  "--no-renames",
  "--no-ext-diff",
  "--no-textconv",
] as const;

/** Reads the records of `--raw -z`, which have their path after them, and of `--numstat -z`, which have it inside. */
export function countChanges(text: string): ChangeCounts {
  const states: string[] = [];
  const files: string[] = [];
  let [linesAdded, linesRemoved] = [0, 0];
  const records = text.split("\0");
  for (let at = 0; at < records.length; at += 1) {
    const record = records[at] ?? "";
    const state = /^:\d{6} \d{6} \S+ \S+ ([A-Z])/.exec(record)?.[1];
    if (state !== undefined) {
      states.push(state);
      at += 1;
      continue;
    }
    const [added, removed, ...rest] = record.split("\t");
    if (rest.length === 0) continue;
    // A path may hold tabs itself.
    files.push(rest.join("\t"));
    // Binary files count as "-".
    linesAdded += Number(added) || 0;
    linesRemoved += Number(removed) || 0;
  }
  const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
  return { files, linesAdded, linesRemoved, filesCreated: count("A"), filesModified: count("M", "T") };
}
