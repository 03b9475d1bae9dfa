import { readFileSync } from "node:fs";
import { DEFAULT_REPO, QUEUE_NAMES, type QueueName } from "@agentswarm/contracts";
import { beforeAll, expect, test } from "vitest";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { consume, type QueueConnection } from "./index.ts";

/** The messages of a swarm of schema version 1: the smallest of every kind, from a run of the demo. */
const OLD = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/version-1/messages.json", import.meta.url), "utf8"),
) as { queue: QueueName; jobId: string; envelope: { schemaVersion: number } }[];

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
});

test.each(QUEUE_NAMES)("every message of version 1 that waits in %s is handled", async (queue) => {
  const waiting = OLD.filter((message) => message.queue === queue);
  expect(waiting.length).toBeGreaterThan(0);
  for (const [nth, { envelope }] of waiting.entries()) {
    expect(envelope.schemaVersion).toBe(1);
    await bullQueue(connection, queue).add(queue, envelope, { jobId: `old-${nth}` });
  }
  const bodies: object[] = [];
  await using _consumer = await consume(connection, queue, async (body) => void bodies.push(body), {
    concurrency: 1,
  });
  await expect.poll(() => bodies.length, { timeout: 20_000 }).toBe(waiting.length);
  if (queue !== "plan" && queue !== "event") {
    for (const body of bodies) expect(JSON.stringify(body)).toContain(`"repoId":"${DEFAULT_REPO}"`);
  }
  const failed = await bullQueue(connection, queue).getJobCountByTypes("failed", "delayed");
  expect(failed).toBe(0);
});
