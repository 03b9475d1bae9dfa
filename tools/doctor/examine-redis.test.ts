import { expect, test } from "vitest";
import { judge } from "./examine-redis.ts";

const policy = (value: string) => `*2\r\n$16\r\nmaxmemory-policy\r\n$${value.length}\r\n${value}\r\n`;

test("a server with an append-only file and without eviction is ok", () => {
  expect(judge("h", `aof_enabled:1\r\n${policy("noeviction")}redis_version:7.0.15\r\n`).state).toBe("ok");
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
