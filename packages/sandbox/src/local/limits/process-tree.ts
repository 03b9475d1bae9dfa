import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly threads: number;
}

const KIB = 1_024;

/** Reads every process that this user sees. */
export function readProcesses(): ProcessFacts[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = readText(`/proc/${name}/stat`);
    return stat === null ? [] : [parseStat(Number(name), stat)];
  });
}

/** Parses /proc/<pid>/stat. The name in field 2 may contain spaces and brackets. */
export function parseStat(pid: number, stat: string): ProcessFacts {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { pid, parent: Number(fields[1]), threads: Number(fields[17]) };
}

/** Returns the processes that descend from the roots, and the roots. */
export function treeOf(roots: readonly number[], processes: readonly ProcessFacts[]): ProcessFacts[] {
  const byParent = Map.groupBy(processes, (one) => one.parent);
  const found = new Map<number, ProcessFacts>();
  const add = (one: ProcessFacts) => {
    if (found.has(one.pid)) return;
    found.set(one.pid, one);
    for (const child of byParent.get(one.pid) ?? []) add(child);
  };
  for (const one of processes) if (roots.includes(one.pid)) add(one);
  return [...found.values()];
}

/** Memory of a process that is no page of a file, in bytes. Pages shared by processes count for each of them. */
export function countedMemory(pid: number): number {
  return sumFields(readText(`/proc/${pid}/status`), /^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm);
}

/** As `countedMemory`, but a shared page counts in parts. The kernel walks all pages for it, which takes time. */
export function shareOfMemory(pid: number): number {
  const text = readText(`/proc/${pid}/smaps_rollup`);
  if (text === null || !text.includes("Pss_Anon")) return countedMemory(pid);
  return sumFields(text, /^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+) kB$/gm);
}

/** Sums the amounts, in kB, that the pattern's first group finds. */
export function sumFields(text: string | null, pattern: RegExp): number {
  return [...(text ?? "").matchAll(pattern)].reduce((sum, [, kib]) => sum + Number(kib) * KIB, 0);
}

/** Null when the process has exited. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return null;
  }
}
