import { consume, openQueue } from "@agentswarm/queue";
import { startMerger, type Attempt, type TestMerger } from "../../services/merger/testing/start-merger.ts";
import { median } from "./measure.ts";

const WAITING = 100;
const RUNS = 5;

/** Counts the handoffs of a merger process, as consumer of the queue that the planner consumes. */
async function openCounter(merger: TestMerger) {
  const connection = await openQueue({
    redisUrl: merger.redis.url,
    prefix: merger.redis.prefix,
    service: "bench",
  });
  let waitingFor = new Set<string>();
  let outcomes = new Map<string, string>();
  let done = Promise.withResolvers<void>();
  const consumer = await consume(
    connection,
    "plan",
    async (message) => {
      if (message.kind !== "handoff") return;
      outcomes.set(message.handoff.taskId, message.outcome?.kind ?? "none");
      waitingFor.delete(message.handoff.taskId);
      if (waitingFor.size === 0) done.resolve();
    },
    { concurrency: 20 },
  );
  return {
    /** Requests these landings. Resolves with their outcomes when all handoffs have been consumed. */
    async run(attempts: readonly Attempt[]): Promise<Map<string, string>> {
      waitingFor = new Set(attempts.map((one) => one.taskId));
      outcomes = new Map();
      done = Promise.withResolvers();
      await merger.request(attempts);
      await done.promise;
      return outcomes;
    },
    async [Symbol.asyncDispose]() {
      await consumer[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}

/** Measures merge jobs a second from enqueue to the consumption of their handoffs, 100 at once, without a gate. */
export async function measureEndToEnd(): Promise<number> {
  await using merger = await startMerger({ env: { LANDING_GATE: "off" } });
  await using counter = await openCounter(merger);
  const perSec: number[] = [];
  // The first run is a warm-up.
  for (let run = 0; run <= RUNS; run += 1) {
    const attempts = Array.from({ length: WAITING }, (_, nth) => ({
      taskId: `run-${run}-${nth}`,
      base: merger.head(),
      files: { [`src/run-${run}/file-${nth}.js`]: `// ${nth}\n` },
    }));
    await merger.store(attempts);
    const from = performance.now();
    await counter.run(attempts);
    if (run > 0) perSec.push((WAITING * 1_000) / (performance.now() - from));
  }
  return Math.round(median(perSec));
}

export interface Gated {
  readonly checkMs: number;
  /** Verified landings an hour. */
  readonly perHour: number;
  /** The number of runs of the gate's check. */
  readonly tests: number;
  readonly rejected: number;
  /** Whether all attempts that pass the check landed, and all that fail it were rejected. */
  readonly nothingRedPublished: boolean;
}

const CHECK_SECONDS = 2;

/** Measures landings with a gate that takes two seconds and fails for one in fifty attempts. */
export async function measureGated(attemptsCount: number): Promise<Gated> {
  const check = `sleep ${CHECK_SECONDS}; ! grep -rq BROKEN src`;
  await using merger = await startMerger({ checks: [check] });
  await using counter = await openCounter(merger);
  const isBroken = (nth: number) => nth % 50 === 25;
  const attempts = Array.from({ length: attemptsCount }, (_, nth) => ({
    taskId: `task-${nth}`,
    base: merger.head(),
    files: { [`src/file-${nth}.js`]: `// ${isBroken(nth) ? "BROKEN" : "whole"}\n` },
  }));
  await merger.store(attempts);
  const from = performance.now();
  const outcomes = await counter.run(attempts);
  const hours = (performance.now() - from) / 3_600_000;
  const landed = attempts.filter((one) => outcomes.get(one.taskId) === "landed");
  const rejected = attempts.filter((one) => outcomes.get(one.taskId) === "rejected");
  const right = attempts.every(
    (one, nth) => outcomes.get(one.taskId) === (isBroken(nth) ? "rejected" : "landed"),
  );
  return {
    checkMs: CHECK_SECONDS * 1_000,
    perHour: Math.round(landed.length / hours),
    tests: merger.service.output().split("gate checks finished").length - 1,
    rejected: rejected.length,
    nothingRedPublished: right,
  };
}
