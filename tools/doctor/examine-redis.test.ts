import { expect, test } from "vitest";
import { judge } from "./examine-redis.ts";

const policy = (value: string) => `*2\r\n$16\r\nmaxmemory-policy\r\n$${value.length}\r\n${value}\r\n`;

test("a server that keeps everything is fine", () => {
  expect(judge("h", `aof_enabled:1\r\n${policy("noeviction")}redis_version:7.0.15\r\n`).state).toBe("ok");
});

test("eviction is a failure that names the setting", () => {
  const finding = judge("h", `aof_enabled:1\r\n${policy("allkeys-lru")}`);
  expect(finding).toMatchObject({ state: "fail", mend: "set maxmemory-policy noeviction" });
});

test("a missing append-only file is a warning, an unwritable one a failure", () => {
  expect(judge("h", policy("noeviction")).state).toBe("warn");
  expect(judge("h", `aof_enabled:1\r\naof_last_write_status:err\r\n${policy("noeviction")}`).state).toBe(
    "fail",
  );
});

test("a refused password is named", () => {
  expect(judge("h", "-NOAUTH Authentication required.\r\n").detail).toContain("password");
});
