import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openLogs } from "./logs.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-logs-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("the output of a program takes five files at most, the newest lines in the first", async () => {
  const logs = openLogs(dir, undefined, 100);
  const write = logs.of("api");
  for (let nth = 0; nth < 100; nth += 1) write(Buffer.from(`line ${String(nth).padStart(4, "0")}\n`));
  await logs.close();
  const names = readdirSync(dir).toSorted();
  expect(names).toEqual(["api.log", "api.log.1", "api.log.2", "api.log.3", "api.log.4"]);
  const texts = names.toReversed().map((name) => readFileSync(join(dir, name), "utf8"));
  const lines = texts.join("").trim().split("\n");
  expect(lines.at(-1)).toBe("line 0099");
  expect(lines).toEqual(lines.toSorted());
  for (const text of texts) expect(text.length).toBeLessThan(130);
});

test.runIf(existsSync("/dev/full"))(
  "a full disk loses lines, and the log goes on when there is room",
  async () => {
    const file = join(dir, "merger.log");
    symlinkSync("/dev/full", file);
    const logs = openLogs(dir);
    const write = logs.of("merger");
    write(Buffer.from("lost\n"));
    rmSync(file);
    await expect
      .poll(() => {
        write(Buffer.from("kept\n"));
        return existsSync(file) ? readFileSync(file, "utf8") : "";
      })
      .toContain("kept");
    await logs.close();
  },
);
