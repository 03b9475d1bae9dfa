import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DomainEvent, EventToSend } from "@agentswarm/contracts";
import { consume, createSender, type QueueConnection } from "@agentswarm/queue";
import { makeEvents } from "../../services/api/testing/make-events.ts";
import { openTestIntake, type TestIntake } from "../../services/api/testing/open-intake.ts";
import { redisBytes, round, withRedis, type Measure, type MeasureOptions } from "./measure.ts";

/** As many as the api's consumer holds at once. */
const AT_ONCE = 100;
const TASKS_PER_FEATURE = 20;

/** Runs with the api's intake, its archive in a folder of its own. */
export async function withIntake<T>(
  run: (intake: TestIntake, connection: QueueConnection) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), "swarm-bench-state-"));
  try {
    return await withRedis(async (connection) => {
      using intake = await openTestIntake(connection, home);
      return await run(intake, connection);
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Takes events in as the api does when many wait in its queue. */
export async function takeAll(intake: TestIntake, events: Iterable<DomainEvent>): Promise<void> {
  let together: Promise<void>[] = [];
  for (const event of events) {
    together.push(intake.take(event));
    if (together.length < AT_ONCE) continue;
    await Promise.all(together);
    together = [];
  }
  await Promise.all(together);
}

/** At least `count` events of features of 20 tasks; every feature another one. */
export function* eventsOfFeatures(prefix: string, count: number): Generator<DomainEvent> {
  let made = 0;
  for (let nth = 0; made < count; nth += 1) {
    const events = makeEvents(`feature-${prefix}-${nth}`, TASKS_PER_FEATURE);
    made += events.length;
    yield* events;
  }
}

/** Processor time of the api for one event, from the queue into archive, event stream and views. */
export const measureCpuPerEvent: Measure = async ({ quick, say }) => {
  const before = quick ? 1_000 : 100_000;
  return withIntake(async (intake, connection) => {
    const empty = await cpuPerEvent(intake, connection, { prefix: "first", quick });
    say(`  ${empty} ms in an empty swarm; taking in ${before} events …`);
    await takeAll(intake, eventsOfFeatures("more", before));
    return { empty, after100k: await cpuPerEvent(intake, connection, { prefix: "last", quick }) };
  });
};

async function cpuPerEvent(
  intake: TestIntake,
  connection: QueueConnection,
  { prefix, quick }: { prefix: string; quick: boolean },
): Promise<number> {
  const events = [...eventsOfFeatures(prefix, quick ? 200 : 5_000)];
  const sender = createSender(connection, "bench");
  for (const event of events) await sender.event(event as EventToSend);
  const { promise: done, resolve } = Promise.withResolvers<undefined>();
  let taken = 0;
  const cpu = process.cpuUsage();
  await using _consumer = await consume(
    connection,
    "event",
    async (event, { signal }) => {
      await intake.take(event, signal);
      taken += 1;
      if (taken === events.length) resolve(undefined);
    },
    { concurrency: AT_ONCE, waitsFirst: true },
  );
  await done;
  const { user, system } = process.cpuUsage(cpu);
  return round((user + system) / 1_000 / events.length);
}

/**
 * Bytes of Redis memory for one event that changes no view: while event stream and remembered ids fill, and once they are
 * full.
 */
export async function measureBytesPerEvent({ quick }: MeasureOptions) {
  // One filling of the newer halves of the remembered ids: memory is compared at the same point of two of them.
  const filling = quick ? 1_000 : 131_072;
  return withIntake(async (intake, connection) => {
    const empty = await redisBytes(connection);
    await takeAll(intake, small(0, filling));
    const filled = await redisBytes(connection);
    await takeAll(intake, small(filling, 2 * filling));
    const before = await redisBytes(connection);
    await takeAll(intake, small(2 * filling, 3 * filling));
    const grown = (await redisBytes(connection)) - before;
    return { filling: Math.round((filled - empty) / filling), full: round(grown / filling) };
  });
}

function* small(from: number, to: number): Generator<DomainEvent> {
  for (let nth = from; nth < to; nth += 1)
    yield { id: `closed-${nth}`, at: 1, type: "backend.closed", actor: "bench", data: { backend: "one" } };
}
