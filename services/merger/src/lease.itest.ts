import { DEFAULT_REPO } from "@agentswarm/contracts";
import { openQueue } from "@agentswarm/queue";
import { createLogger } from "@agentswarm/service";
import { expect, test, vi } from "vitest";
import { startRedis } from "../../../test/support/redis.ts";
import { holdLease } from "./lease.ts";

test("a merger whose lease another one has ends itself", async () => {
  await using redis = await startRedis();
  await using connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "merger" });
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: "merger", level: "info", format: "json", destination });
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  try {
    await using _lease = await holdLease(connection, DEFAULT_REPO, log, new AbortController().signal, 300);
    expect(kill).not.toHaveBeenCalled();
    await connection.redis.set(connection.key("leases", "merger"), "another merger");
    await expect.poll(() => kill.mock.calls, { timeout: 10_000 }).toEqual([[process.pid, "SIGTERM"]]);
    expect(lines.join("")).toContain("lease lost");
  } finally {
    kill.mockRestore();
  }
});
