/** The differences between two trees, counted. */
export interface ChangeCounts {
  readonly files: string[];
  readonly linesAdded: number;
  readonly linesRemoved: number;
  readonly filesCreated: number;
  readonly filesModified: number;
}

/** The options of git's diff commands whose output `countChanges` parses. */
export const COUNTED = [
  "--raw",
  "--numstat",
  "-z",
  "--no-renames",
  "--no-ext-diff",
  "--no-textconv",
] as const;

/** Parses the records of `--raw -z`, which precede their path, and of `--numstat -z`, which contain it. */
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
    // A path may contain tabs.
    files.push(rest.join("\t"));
    // Git writes "-" for a binary file.
    linesAdded += Number(added) || 0;
    linesRemoved += Number(removed) || 0;
  }
  const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
  return { files, linesAdded, linesRemoved, filesCreated: count("A"), filesModified: count("M", "T") };
}
