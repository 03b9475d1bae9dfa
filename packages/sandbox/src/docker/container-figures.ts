import type Docker from "dockerode";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { askBody } from "./container-body.ts";
import { feed } from "./exec-in-container.ts";

/** What everything in a container has taken so far; null where nobody counts it. */
export interface Used {
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
}

export const UNKNOWN: Used = { cpuMs: null, memoryPeakBytes: null };
const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;
const ANSWER_MS = 2_000;

const ROOT = "/sys/fs/cgroup";
/** Control groups of version 1, then of version 2. */
const COUNTED = ["cpuacct/cpuacct.usage", "memory/memory.max_usage_in_bytes", "cpu.stat", "memory.peak"];

/**
 * Reads what the kernel counts, inside, as root without any capability, whose programs a guest cannot touch. The engine
 * is asked only where that fails: it looks once in a second, and what ends a sandbox would wait for it.
 */
export async function figuresOf(container: Docker.Container): Promise<Used> {
  const argv = ["grep", "-s", ".", ...COUNTED.map((file) => `${ROOT}/${file}`)];
  try {
    const asked = feed(container, askBody(argv), Readable.from([]));
    const answer = await Promise.race([asked, sleep(ANSWER_MS, null, { ref: false })]);
    const read = answer === null ? UNKNOWN : parseCounted(answer.said);
    return read.cpuMs === null ? await statsOf(container) : read;
  } catch {
    return UNKNOWN;
  }
}

/** Takes the kernel's numbers out of lines of a file's path, a colon and its text. */
export function parseCounted(lines: string): Used {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(lines)?.[1];
    return found === undefined ? null : Number(found);
  };
  const ns = number(/cpuacct\.usage:(\d+)$/m);
  const us = number(/cpu\.stat:usage_usec (\d+)$/m);
  const cpuMs = ns === null ? us && us / US_PER_MS : ns / NS_PER_MS;
  return {
    cpuMs: cpuMs === null ? null : Math.round(cpuMs),
    memoryPeakBytes: number(/(?:memory\.max_usage_in_bytes|memory\.peak):(\d+)$/m),
  };
}

interface Stats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly max_usage?: number };
}

async function statsOf(container: Docker.Container): Promise<Used> {
  const stats = (await container.stats({ stream: false, "one-shot": true })) as Stats;
  const ns = stats.cpu_stats?.cpu_usage?.total_usage ?? 0;
  // A container that is not running has zeros for everything.
  if (ns === 0) return UNKNOWN;
  return {
    cpuMs: Math.round(ns / NS_PER_MS),
    memoryPeakBytes: stats.memory_stats?.max_usage ?? null,
  };
}
