import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DomainEvent } from "@agentswarm/contracts";
import type { LocalSwarm } from "../../tools/local/start-swarm.ts";
import { openCpuGroup, type CpuGroup } from "./cpu-group.ts";

/** Milliseconds of processor that each part of a swarm has taken. */
export interface CpuMs {
  /** Everything in the sandboxes of attempts. */
  readonly agents: number;
  /** Everything in the sandboxes of gate and sweep. */
  readonly checks: number;
  /** The recorded model. */
  readonly replay: number;
  /** Redis and the services, with all the git they ran. */
  readonly harness: number;
}

/** Each program of a swarm in a group of its own; sandboxes leave it for theirs. */
export interface CpuMeter {
  /** Milliseconds so far, by program. */
  read(): ReadonlyMap<string, number>;
}

/** Null where this machine does not count. The groups are put on `stack`, to be removed when the swarm is gone. */
export async function meterCpu(swarm: LocalSwarm, stack: AsyncDisposableStack): Promise<CpuMeter | null> {
  const groups = new Map<string, CpuGroup>();
  for (const [name, { pid }] of swarm.processes) {
    const group = await openCpuGroup(`bench-${process.pid}-${name}`);
    if (group === null) return null;
    stack.use(group);
    if (pid === null) return null;
    await group.add(pid);
    groups.set(name, group);
  }
  return { read: () => new Map([...groups].map(([name, group]) => [name, group.usedMs()])) };
}

/** What checks took between two moments, by what merger and reconciler logged of each. */
export function checksCpuMs(home: string, from: number, to: number): number {
  const lines = ["merger", "reconciler"].flatMap((name) =>
    readFileSync(join(home, "logs", `${name}.log`), "utf8").split("\n"),
  );
  let sum = 0;
  for (const line of lines) {
    if (!line.includes('"cpuMs":')) continue;
    const { time, cpuMs } = JSON.parse(line) as { time: string; cpuMs: number | null };
    const at = Date.parse(time);
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
