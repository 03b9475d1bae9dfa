import { Fault } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

/** The promise's value, or Fault `redis.unavailable` after `deadlineMs`: commands hang while a server is silent. */
export async function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new Fault("redis.unavailable", `Redis did not answer within ${deadlineMs} ms`, { retryable: true }),
      );
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when Redis answers in time; throws Fault `redis.unavailable` otherwise. */
export async function ping(connection: QueueConnection, deadlineMs: number): Promise<void> {
  await withDeadline(connection.redis.ping(), deadlineMs);
}
