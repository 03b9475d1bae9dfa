import { afterAll, beforeAll, describe, test } from "vitest";
import { findContainers, hasImage } from "../../../test/support/containers.ts";
import { startRedisContainer } from "../../../test/support/redis-container.ts";
import type { TestRedis } from "../../../test/support/redis.ts";
import { testQueueContract } from "../testing/queue-contract.ts";
import { openQueue } from "./index.ts";

/** The servers that the queues support, besides the one that the other suites run on. */
const IMAGES = ["redis:7", "redis:8", "valkey/valkey:8"];

const containers = await findContainers("the queue contract is NOT tested on other servers");

describe.each(IMAGES)("%s", async (image) => {
  const consequence = `the queue contract is NOT tested on ${image}`;
  if (containers === null || !(await hasImage(containers, image, consequence))) {
    test.skip(consequence, () => undefined);
    return;
  }
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedisContainer(containers, image);
    await using connection = await openQueue({ redisUrl: server.url, service: "test" });
    const info = await connection.redis.info("server");
    const version = /^(?:valkey|redis)_version:.*$/gm;
    console.info(`${image} reports ${info.match(version)?.join(", ").replaceAll("\r", "")}`);
  });
  afterAll(() => server?.stop());
  testQueueContract(() => server.url);
});
