import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_REPO, Fault, type DomainEvent } from "@agentswarm/contracts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import {
  acquireLease,
  acquireSlot,
  cancelJob,
  consume,
  createSender,
  jobState,
  listFailedJobs,
  nextNumber,
  openBudgets,
  openDocuments,
  openEventLog,
  openQueue,
  queueCounts,
  retryJob,
  signalJob,
  workerCounts,
  type Handler,
  type QueueConnection,
  type Sender,
} from "../src/index.ts";
import { logEvent } from "../../../test/support/queue.ts";
import { startWorker } from "./start-worker.ts";

/** The tests that the queue package must pass on every server that it supports. */
export function testQueueContract(serverUrl: () => string): void {
  let prefix: string;
  /** Connections of three replicas. */
  let replicas: [QueueConnection, QueueConnection, QueueConnection];
  let sender: Sender;
  const open = () => openQueue({ redisUrl: serverUrl(), prefix, service: "test", onError: () => undefined });

  beforeEach(async () => {
    prefix = `contract-${randomUUID().slice(0, 8)}`;
    replicas = [await open(), await open(), await open()];
    sender = createSender(replicas[0], "test");
  });
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
  });

  const send = (jobId: string, priority?: number) =>
    sender.send(
      "sweep",
      { why: "manual", repoId: DEFAULT_REPO },
      priority === undefined ? { jobId } : { jobId, priority },
    );
  const start = (handler: Handler<"sweep">, concurrency = 1) =>
    consume(replicas[1], "sweep", handler, { concurrency, onDeadLetter: () => undefined });
  const becomes = (jobId: string, state: string) =>
    expect.poll(() => jobState(replicas[0], "sweep", jobId), { timeout: 10_000 }).toBe(state);
  /** Calls `act` many times at once, with the replicas in turn. */
  const concurrently = <T>(times: number, act: (replica: QueueConnection, nth: number) => Promise<T>) =>
    Promise.all(Array.from({ length: times }, (_, nth) => act(replicas[nth % 3] as QueueConnection, nth)));

  test("jobs are handled once, in the order of their priorities", async () => {
    const order: string[] = [];
    await send("c", 9);
    await send("a", 1);
    await send("b", 5);
    await send("a", 9);
    await using _consumer = await start(async (_, { jobId }) => void order.push(jobId));
    await expect.poll(() => order).toEqual(["a", "b", "c"]);
    expect((await workerCounts(replicas[0])).sweep).toBe(1);
  });

  test("a retryable fault is retried, and a dead letter can be retried by hand", async () => {
    let starts = 0;
    await using _consumer = await start(async () => {
      starts += 1;
      if (starts === 1) throw new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs: 20 });
      if (starts === 2) throw new Fault("message.invalid", "a bug");
    });
    await send("one");
    await becomes("one", "failed");
    expect(await listFailedJobs(replicas[0], "sweep", { limit: 5 })).toMatchObject([
      { id: "one", failedReason: "message.invalid: a bug", attempts: 2 },
    ]);
    await retryJob(replicas[0], "sweep", "one");
    await becomes("one", "completed");
    // The dead letter's event.
    expect((await queueCounts(replicas[0])).event["waiting"]).toBe(1);
  });

  test("replicas that make the same schedule make one", async () => {
    const message = { why: "schedule", repoId: DEFAULT_REPO } as const;
    await concurrently(3, (replica) => createSender(replica, "test").schedule("sweep", "tick", 40, message));
    let runs = 0;
    await using _consumer = await start(async () => void (runs += 1));
    await expect.poll(() => runs).toBeGreaterThan(2);
  });

  test("a cancellation reaches the handler and removes a waiting job", async () => {
    const started = Promise.withResolvers<void>();
    let reason: unknown;
    await using _consumer = await start(async (_, { signal }) => {
      started.resolve();
      await sleep(20_000, undefined, { signal }).catch(() => undefined);
      reason = signal.reason;
      signal.throwIfAborted();
    });
    await send("running");
    await started.promise;
    await send("queued");
    await cancelJob(replicas[0], "sweep", "queued");
    await becomes("queued", "missing");
    await cancelJob(replicas[0], "sweep", "running");
    await becomes("running", "failed");
    expect(reason).toBe("cancel");
  });

  test("a signal reaches the handler of an active job, and no other job", async () => {
    const [started, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const heard: string[] = [];
    await using _consumer = await start(async (_, { jobId, onSignal }) => {
      onSignal(({ notes }) => heard.push(`${jobId} heard ${notes.map(({ text }) => text).join()}`));
      started.resolve();
      await ended.promise;
    });
    const say = (jobId: string, text: string) => {
      const note = { id: "n", by: "ada", via: "rest", at: 1, text, mode: "steer", answers: null } as const;
      return signalJob(replicas[0], "sweep", jobId, { notes: [note] });
    };
    await send("running");
    await started.promise;
    await send("queued");
    await say("queued", "too early");
    await say("running", "one");
    await say("running", "two");
    await expect.poll(() => heard).toEqual(["running heard one", "running heard two"]);
    ended.resolve();
    await becomes("queued", "completed");
    expect(heard).toHaveLength(2);
  });

  test("the fence gives the jobs of a killed worker to another one", async () => {
    const dying = await startWorker(serverUrl(), { prefix });
    await send("hold-1", 3);
    await dying.waitFor(({ event }) => event === "started");
    dying.kill("SIGKILL");
    await dying.ended;
    const handled: string[] = [];
    const since = performance.now();
    await using _consumer = await start(async (_, { jobId }) => void handled.push(jobId));
    await expect.poll(() => handled, { timeout: 10_000 }).toEqual(["hold-1"]);
    // The lock itself expires only after 30 s.
    expect(performance.now() - since).toBeLessThan(10_000);
  });

  test("on dispose active jobs go back to the queue", async () => {
    let started = 0;
    const consumer = await start(async (_, { signal }) => {
      started += 1;
      await sleep(20_000, undefined, { signal });
    }, 3);
    for (const jobId of ["a", "b", "c"]) await send(jobId);
    await expect.poll(() => started).toBe(3);
    await consumer[Symbol.asyncDispose]();
    expect((await queueCounts(replicas[0])).sweep).toMatchObject({ waiting: 3, active: 0, failed: 0 });
  });

  test("slots, leases and counters hold across replicas", async () => {
    const slot = { limit: 4, ttlMs: 60_000 };
    const slots = await concurrently(30, (replica) => acquireSlot(replica, "slots", slot));
    const acquired = slots.filter((one) => one !== null);
    expect(acquired).toHaveLength(4);
    await acquired[0]?.[Symbol.asyncDispose]();
    await using late = await acquireSlot(replicas[1], "slots", slot);
    expect(late).not.toBeNull();
    for (const one of acquired.slice(1)) await one[Symbol.asyncDispose]();

    const numbers = await concurrently(30, (replica) => nextNumber(replica, "numbers", 0));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, nth) => nth + 1));

    const leases = (await concurrently(9, (replica) => acquireLease(replica, "lease", 60_000))).filter(
      (lease) => lease !== null,
    );
    expect(leases).toHaveLength(1);
    const holder = await open();
    await leases[0]?.[Symbol.asyncDispose]();
    expect(await acquireLease(holder, "lease", 60_000)).not.toBeNull();
    // A holder without a connection loses its lease at once.
    await holder[Symbol.asyncDispose]();
    await expect.poll(() => acquireLease(replicas[1], "lease", 60_000)).not.toBeNull();
  });

  test("concurrent calls of three replicas exceed a budget by at most one call", async () => {
    const budgets = replicas.map((replica) => openBudgets(replica, { BUDGET_TOKENS: 500 }, { pollMs: 5 }));
    const outcomes = await concurrently(60, async (_, nth) => {
      const reserved = await budgets[nth % 3]?.of({ featureId: "f" }).reserve({ costUsd: 0.01, tokens: 20 });
      if (reserved?.kind === "granted")
        await reserved.commitReservation({ costUsd: 0.01, tokensIn: 15, tokensOut: 5 });
      return reserved?.kind;
    });
    expect(outcomes.filter((kind) => kind === "granted")).toHaveLength(25);
    expect(await budgets[0]?.usedUp("f")).toEqual({
      level: "swarm",
      why: "BUDGET_TOKENS=500 is used up (500)",
    });
    const { swarm } = (await budgets[1]?.read()) ?? {};
    expect(swarm).toMatchObject({ spent: { tokens: 500, costUsd: 0.25 }, reserved: { tokens: 0 } });
    for (const one of budgets) one[Symbol.dispose]();
  });

  test("concurrent updates of a document lose no change", async () => {
    const counter = z.object({ count: z.number() });
    await concurrently(30, (replica) =>
      openDocuments(replica, "sum", counter).update("a", (value) => ({ count: (value?.count ?? 0) + 1 })),
    );
    const documents = openDocuments(replicas[0], "sum", counter);
    expect(await documents.get("a")).toEqual({ value: { count: 30 }, version: 30 });
    expect(await documents.compareAndSet("a", 29, { count: 0 })).toBe(false);
    await documents.delete("a");
    expect(await documents.keys()).toEqual([]);
  });

  test("a follower of the event log gets events in order", async () => {
    const event = (id: string): DomainEvent => ({
      id,
      at: 1,
      type: "backend.closed",
      actor: "test",
      data: { backend: "test" },
    });
    const log = openEventLog(replicas[0]);
    const following = new AbortController();
    const seen: string[] = [];
    const follower = (async () => {
      for await (const logged of log.follow("0", following.signal)) seen.push(logged.event.id);
    })();
    for (const id of ["first", "second", "third"]) await logEvent(replicas[0], event(id));
    await expect.poll(() => seen).toEqual(["first", "second", "third"]);
    following.abort();
    await follower;
  });
}
