import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DomainEvent } from "@agentswarm/contracts";
import type { LocalSwarm } from "../../infra/local/start-swarm.ts";

/** Milliseconds of processor that each part of a swarm has taken. */
export interface CpuMs {
  /** Everything in the sandboxes of attempts. */
  readonly agents: number;
  /** Everything in the sandboxes of gate and sweep. */
  readonly checks: number;
  /** The recorded model. */
  readonly replay: number;
  /** Redis and the services with all the git they ran. */
  readonly harness: number;
}

const MS_PER_TICK = 10;
/** utime, stime, and the same of children that ended; the name before them may hold spaces. */
const FIRST_OF_FOUR = 11;

/** A process with its ended children, in milliseconds; 0 when it is gone. */
function cpuOf(pid: number | null | undefined): number {
  if (!pid) return 0;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(FIRST_OF_FOUR, FIRST_OF_FOUR + 4).map(Number);
    return ticks.reduce((sum, one) => sum + one, 0) * MS_PER_TICK;
  } catch {
    return 0;
  }
}

/** What the services and the model have taken so far, sandboxes of theirs that have ended included. */
export function readProcesses(swarm: LocalSwarm): ReadonlyMap<string, number> {
  return new Map([...swarm.processes].map(([name, one]) => [name, cpuOf(one.pid)]));
}

/** What checks took between two moments of the logs' lines, by what merger and reconciler noted of each. */
export function checksCpuMs(home: string, from: number, to: number): number {
  const lines = ["merger", "reconciler"].flatMap((name) =>
    readFileSync(join(home, "logs", `${name}.log`), "utf8").split("\n"),
  );
  let sum = 0;
  for (const line of lines) {
    if (!line.includes('"cpuMs":')) continue;
    const { time, cpuMs } = JSON.parse(line) as { time: number | string; cpuMs: number | null };
    const at = new Date(time).getTime();
    if (at >= from && at <= to) sum += cpuMs ?? 0;
  }
  return sum;
}

export function agentsCpuMs(events: readonly DomainEvent[]): number {
  return events
    .filter((event) => event.type === "attempt.ended")
    .map((event) => (event.data as { sandbox?: { cpuMs: number | null } }).sandbox?.cpuMs ?? 0)
    .reduce((sum, one) => sum + one, 0);
}

/** Who took what between two readings: sandboxes are children of services, so theirs is taken off. */
export function splitCpu(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  sandboxes: { readonly agents: number; readonly checks: number },
): CpuMs {
  const took = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const all = [...after.keys()]
    .filter((name) => name !== "replay")
    .reduce((sum, name) => sum + took(name), 0);
  const harness = Math.max(0, all - sandboxes.agents - sandboxes.checks);
  return { ...sandboxes, replay: took("replay"), harness };
}

/** Shares of the whole, to a thousandth. */
export function sharesOf(cpu: CpuMs): CpuMs {
  const whole = cpu.agents + cpu.checks + cpu.replay + cpu.harness;
  const share = (ms: number) => Number((ms / whole).toFixed(3));
  return {
    agents: share(cpu.agents),
    checks: share(cpu.checks),
    replay: share(cpu.replay),
    harness: share(cpu.harness),
  };
}
