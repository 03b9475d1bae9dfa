import { test } from "vitest";
import { startRedis } from "../../../test/support/redis.ts";
import { startWorker } from "../testing/start-worker.ts";
import { createSender, openQueue } from "./index.ts";
import { setTimeout as sleep } from "node:timers/promises";

test("dbg", async () => {
  const redis = await startRedis();
  const connection = await openQueue({ redisUrl: redis.url, service: "t" });
  const sender = createSender(connection, "t");
  const dying = await startWorker(redis.url, { concurrency: 20 });
  const ids = Array.from({ length: 20 }, (_, index) => `hold-${index}`);
  await Promise.all(ids.map((jobId) => sender.send("sweep", { why: "manual" }, { jobId })));
  await sleep(1000);
  console.log("dying", dying.heard.length, await connection.queue("sweep").getJobCounts());
  const heir = await startWorker(redis.url, { concurrency: 20 });
  dying.kill("SIGKILL");
  await dying.ended;
  await sleep(2000);
  console.log(
    "heir",
    heir.heard.length,
    heir.heard.slice(0, 3),
    await connection.queue("sweep").getJobCounts(),
  );
  console.log((await connection.queue("sweep").getWorkers()).map((w) => w["rawname"]));
  console.log(await connection.redis.hgetall(connection.key("crashes", "sweep")));
  heir.kill("SIGKILL");
  await heir.ended;
  await connection[Symbol.asyncDispose]();
  await redis.stop();
});
