import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SERVICE = fileURLToPath(new URL("../testing/service.ts", import.meta.url));
const SECRET = "key-0123456789-abcdefghij";

interface Line {
  msg: string;
  [field: string]: unknown;
}

function start(behaviour: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [SERVICE, behaviour], {
    env: { PATH: process.env["PATH"], ORIGIN: "x", SOME_API_KEY: SECRET, GRACE_MS: "2000", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: Line[] = [];
  let errors = "";
  let printed = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as Line);
    printed.resolve();
    printed = Promise.withResolvers();
  });
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = once(child, "close").then(([code]) => code as number | null);
  return {
    lines,
    ended,
    errors: () => errors,
    messages: () => lines.map(({ msg }) => msg),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    async logged(msg: string) {
      while (!lines.some((line) => line.msg === msg)) {
        const over = await Promise.race([
          printed.promise,
          ended.then((code) => `exited with ${code}: ${errors}`),
        ]);
        if (over && !lines.some((line) => line.msg === msg)) throw new Error(over);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

test.each(["SIGTERM", "SIGINT"] as const)("%s disposes in reverse and exits 0", async (signal) => {
  await using service = start("slow");
  await service.logged("started");
  service.kill(signal);
  expect(await service.ended).toBe(0);
  expect(service.messages()).toEqual([
    "with ids",
    "started",
    "signal aborted",
    "stopping",
    "disposed last opened",
    "disposed first opened",
    "stopped",
  ]);
});

test("the health file exists and is touched only while the service runs", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "swarm-health-")), "healthy");
  await using service = start("slow", { HEALTH_FILE: file });
  await service.logged("started");
  const first = statSync(file).mtimeMs;
  await expect.poll(() => statSync(file).mtimeMs, { timeout: 15_000 }).toBeGreaterThan(first);
  service.kill("SIGTERM");
  expect(await service.ended).toBe(0);
  expect(existsSync(file)).toBe(false);
  rmSync(dirname(file), { recursive: true });
});

test("a second signal exits 1 at once", async () => {
  await using service = start("hang");
  await service.logged("started");
  service.kill("SIGTERM");
  await service.logged("stopping");
  service.kill("SIGTERM");
  expect(await service.ended).toBe(1);
});

test("a stop that takes longer than GRACE_MS ends with exit 1", async () => {
  await using service = start("hang", { GRACE_MS: "200" });
  await service.logged("started");
  service.kill("SIGTERM");
  expect(await service.ended).toBe(1);
  expect(service.lines.at(-1)).toMatchObject({ msg: "stopped", ended: "overrun" });
});

test("when one resource cannot be disposed, the others still are", async () => {
  await using service = start("throw");
  await service.logged("started");
  service.kill("SIGTERM");
  expect(await service.ended).toBe(1);
  expect(service.messages()).toContain("disposed first opened");
});

test("a failed start logs the error, disposes the stack and exits 1", async () => {
  await using service = start("fail");
  expect(await service.ended).toBe(1);
  expect(service.messages()).toEqual([
    "with ids",
    "could not start",
    "disposed last opened",
    "disposed first opened",
  ]);
  expect(service.lines[1]).toMatchObject({ err: { message: "no such thing" } });
});

test("a signal during the start stops the service in order", async () => {
  await using service = start("start-slowly");
  await service.logged("starting");
  service.kill("SIGTERM");
  expect(await service.ended).toBe(0);
  expect(service.messages().slice(-2)).toEqual(["disposed first opened", "stopped"]);
});

test("every invalid setting is listed with its value, except for secrets", async () => {
  await using service = start("slow", {
    WORKERS: "many",
    ORIGIN: "",
    SOME_API_KEY: "short-secret",
    GRACE_MS: " ",
  });
  expect(await service.ended).toBe(1);
  expect(service.errors()).toMatch(/^test: Settings to change:/);
  expect(service.errors()).toMatch(/WORKERS is "many": .*number.*\(Attempts at once\)/);
  expect(service.errors()).toContain("ORIGIN is not set: name the repository to land on");
  expect(service.errors()).toContain("SOME_API_KEY is set: ");
  expect(service.errors()).not.toContain("short-secret");
  expect(service.errors()).not.toContain("GRACE_MS");
});

test("a log line carries its ids and no secret", async () => {
  await using service = start("fail");
  await service.ended;
  expect(service.lines[0]).toMatchObject({
    service: "test",
    featureId: "f-1",
    taskId: "t-1",
    attempt: 2,
    key: "[redacted]",
  });
});
