import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Parses a list of processors such as `0-3,8`. */
export function parseProcessors(list: string): number[] {
  return list
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [from = 0, to = from] = part.split("-").map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
}

/**
 * Chooses the processors of sandboxes in turn, as many whole ones as a limit allows. Null when the limit allows all that
 * this process may use, so that nothing has to be set.
 */
export function openAffinity(allowed = allowedProcessors()): (cpus: number) => string | null {
  let next = 0;
  return (cpus) => {
    const count = Math.max(1, Math.ceil(cpus));
    if (count >= allowed.length) return null;
    const chosen = Array.from({ length: count }, (_, i) => allowed[(next + i) % allowed.length]);
    next = (next + count) % allowed.length;
    return chosen.join(",");
  };
}

function allowedProcessors(): number[] {
  const everyOne = Array.from({ length: availableParallelism() }, (_, i) => i);
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return list === undefined ? everyOne : parseProcessors(list);
  } catch {
    return everyOne;
  }
}
