import { expect, test } from "vitest";
import { judge, judgeLog } from "./examine-redis.ts";

const policy = (value: string) => `*2\r\n$16\r\nmaxmemory-policy\r\n$${value.length}\r\n${value}\r\n`;

const memory = (used: number, most: number) => `used_memory:${used}\r\nmaxmemory:${most}\r\n`;
const base = `aof_enabled:1\r\n${policy("noeviction")}redis_version:7.0.15\r\n`;
const healthy = base + memory(1024 ** 2, 640 * 1024 ** 2);

test("a server with an append-only file and without eviction is ok", () => {
  expect(judge("h", healthy).state).toBe("ok");
});

test("eviction is a failure whose fix names the setting", () => {
  const finding = judge("h", `aof_enabled:1\r\n${policy("allkeys-lru")}`);
  expect(finding).toMatchObject({ state: "fail", fix: "set maxmemory-policy noeviction" });
});

test("a missing append-only file is a warning, one that cannot be written a failure", () => {
  expect(judge("h", policy("noeviction")).state).toBe("warn");
  expect(judge("h", `aof_enabled:1\r\naof_last_write_status:err\r\n${policy("noeviction")}`).state).toBe(
    "fail",
  );
});

test("a refused password is named", () => {
  expect(judge("h", "-NOAUTH Authentication required.\r\n").detail).toContain("password");
});

test("a server that may take all memory, or that is nearly full, is a warning with the sizes", () => {
  expect(judge("h", healthy).detail).toContain("1.0 MiB of 640 MiB");
  expect(judge("h", base + memory(5, 0))).toMatchObject({
    state: "warn",
    fix: expect.stringContaining("maxmemory"),
  });
  const full = judge("h", base + memory(600, 640));
  expect(full).toMatchObject({ state: "warn", fix: expect.stringContaining("LEDGER_DAYS") });
});

// Fault 12: the append-only file is broken.
test("a Redis that does not start because of its own file is a failure with the command that repairs it", () => {
  const line =
    "1:M 21 Nov 2026 * Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup";
  expect(judgeLog(line, "/home/redis")).toMatchObject({
    state: "fail",
    fix: expect.stringContaining("redis-check-aof --fix /home/redis/appendonlydir/appendonly.aof.manifest"),
  });
  expect(judgeLog("Ready to accept connections", "/home/redis")).toBeNull();
});
