import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import { consume, openDocuments, openQueue } from "../src/index.ts";

/**
 * A consumer of `sweep` as a process of its own, which prints its events on stdout. The prefix of a job's id selects its
 * work: `poison` kills the process, `slow` takes a while, `hold` waits for an abort, `write` waits for `waitMs` and then
 * sets a document by compare-and-set, `busy` is put back once with a delay of one second; any other job ends at once.
 * SIGUSR2 sets the clock off by `jumpMs`. Arguments: Redis URL, then a JSON object {prefix, lockMs?, concurrency?, waitMs?,
 * jumpMs?}.
 */
const [redisUrl = "", text = "{}"] = process.argv.slice(2);
const options = JSON.parse(text) as {
  prefix: string;
  lockMs?: number;
  concurrency?: number;
  waitMs?: number;
  jumpMs?: number;
};
const realNow = Date.now;
process.once("SIGUSR2", () => {
  Date.now = () => realNow() + (options.jumpMs ?? 0);
});
const putBack = new Set<string>();
const emit = (event: string, more: object = {}) =>
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

const connection = await openQueue({ redisUrl, prefix: options.prefix, service: "test-worker" });
const documents = openDocuments(connection, "effects", z.object({ by: z.number() }));

const consumer = await consume(
  connection,
  "sweep",
  async (_, { jobId, signal }) => {
    const before = await documents.get(jobId);
    emit("started", { jobId });
    signal.addEventListener("abort", () => emit("aborted", { jobId, reason: signal.reason }), { once: true });
    if (jobId.startsWith("poison")) {
      // The jobs beside it are at work by then.
      await sleep(60);
      process.kill(process.pid, "SIGKILL");
    }
    if (jobId.startsWith("slow")) await sleep(200);
    if (jobId.startsWith("busy") && !putBack.has(jobId)) {
      putBack.add(jobId);
      throw new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs: 1_000 });
    }
    if (jobId.startsWith("hold")) {
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
      await promise;
    }
    if (jobId.startsWith("write")) {
      await sleep(options.waitMs ?? 0);
      const written = await documents.compareAndSet(jobId, before?.version ?? 0, { by: process.pid });
      emit("wrote", { jobId, written });
    }
    emit("ended", { jobId });
  },
  {
    concurrency: options.concurrency ?? 10,
    onError: (error) => emit("error", { message: error instanceof Error ? error.message : String(error) }),
    ...(options.lockMs === undefined
      ? {}
      : { lockDurationMs: options.lockMs, stalledIntervalMs: options.lockMs / 3 }),
  },
);
process.once("SIGTERM", () => {
  void (async () => {
    await consumer[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
    process.exit(0);
  })();
});
emit("ready");
