import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DomainEvent } from "@agentswarm/contracts";
import type { LocalSwarm } from "../../tools/local/start-swarm.ts";
import { openCpuGroup, type CpuGroup } from "./cpu-group.ts";

/** CPU time of each part of a swarm, in milliseconds. */
export interface CpuMs {
  /** The sandboxes of attempts. */
  readonly agents: number;
  /** The sandboxes of gate and sweep. */
  readonly checks: number;
  /** The recorded model. */
  readonly replay: number;
  /** Redis and the services, with the git processes that they start. */
  readonly harness: number;
}

/** Each program of a swarm in a control group of its own, without its sandboxes, which have theirs. */
export interface CpuMeter {
  /** CPU time so far in milliseconds, by program. */
  read(): ReadonlyMap<string, number>;
}

/** Null where this machine has no control groups. `stack` removes the groups after the swarm has stopped. */
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

/** CPU time of checks between two times, from the log lines of merger and reconciler. */
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

/** CPU time of attempts in milliseconds, from their events. */
export function agentsCpuMs(events: readonly DomainEvent[]): number {
  return events
    .filter((event) => event.type === "attempt.ended")
    .map((event) => event.data.sandbox?.cpuMs ?? 0)
    .reduce((sum, one) => sum + one, 0);
}

/** Shares of the sum, rounded to a thousandth. */
export function sharesOf(cpu: CpuMs): CpuMs {
  const sum = cpu.agents + cpu.checks + cpu.replay + cpu.harness;
  const share = (ms: number) => Number((ms / sum).toFixed(3));
  return {
    agents: share(cpu.agents),
    checks: share(cpu.checks),
    replay: share(cpu.replay),
    harness: share(cpu.harness),
  };
}
