import { expect, test } from "vitest";
import { newTraceparent, traceIdOf } from "@agentswarm/contracts";
import { withTrace } from "@agentswarm/contracts/node";
import { cleanLine } from "./clean-line.ts";
import { createLogger } from "./logger.ts";
import { secretsOf } from "./secrets.ts";

const clean = (fields: unknown, secrets: string[] = []) =>
  JSON.parse(cleanLine(`${JSON.stringify(fields)}\n`, secrets)) as Record<string, unknown>;

test("fields with the name of a secret are masked at any depth, counts of tokens are not", () => {
  const fields = {
    apiKey: "a",
    API_KEY: "b",
    deep: { er: { still: [{ Authorization: "c", "x-api-key": "d" }] } },
    passwords: ["e", "f"],
    tokens: 12,
    usage: { tokensIn: 5, maxTokens: 8192 },
    empty: { token: "" },
  };
  expect(clean(fields)).toEqual({
    apiKey: "[redacted]",
    API_KEY: "[redacted]",
    deep: { er: { still: [{ Authorization: "[redacted]", "x-api-key": "[redacted]" }] } },
    passwords: ["[redacted]", "[redacted]"],
    tokens: 12,
    usage: { tokensIn: 5, maxTokens: 8192 },
    empty: { token: "" },
  });
});

test("known secrets are masked in values, in keys and across escape sequences", () => {
  const secret = 'pass"word\\1234';
  expect(clean({ msg: `failed with ${secret}!`, [secret]: 1 }, [secret])).toEqual({
    msg: "failed with [redacted]!",
    "[redacted]": 1,
  });
  // An escape sequence inside a secret must not keep it from being masked.
  expect(clean({ msg: "abcd\u001b[0mefgh" }, ["abcdefgh"])).toEqual({ msg: "[redacted]" });
});

test("credentials in URLs and headers are masked", () => {
  expect(clean({ msg: "clone https://me:hunter2@host/x and redis://:pw@r:1" })["msg"]).toBe(
    "clone https://[redacted]@host/x and redis://[redacted]@r:1",
  );
  expect(clean({ a: "https://ghp_0123456789abcdefghij@host/x", b: "ssh://git@host/x" })).toEqual({
    a: "https://[redacted]@host/x",
    b: "ssh://git@host/x",
  });
  expect(clean({ a: "authorization: Bearer abc.def-123456" })).toEqual({
    a: "authorization: Bearer [redacted]",
  });
});

test("untrusted text can neither control a terminal nor look like another line", () => {
  const osc52 = "\u001b]52;c;ZXZpbA==\u0007";
  const forged = 'ok\n{"level":30,"msg":"all is well"}\r\nnext';
  expect(clean({ msg: `${osc52}\u001b[31mred\u001b[0m`, out: "\u001b[2Jcleared" })).toEqual({
    msg: "red",
    out: "cleared",
  });
  expect(clean({ msg: forged })["msg"]).toBe('ok ⏎ {"level":30,"msg":"all is well"} ⏎ next');
});

test("a logger writes one clean line in both formats, bindings and errors included", () => {
  for (const format of ["json", "pretty"] as const) {
    let written = "";
    const destination = { write: (text: string) => void (written += text) };
    const log = createLogger({ service: "test", format, secrets: ["topsecretvalue"], destination });
    log
      .child({ gatewayKey: "gk-1", taskId: "t-1" })
      .error({ err: new Error("no topsecretvalue") }, "bad\nforged");
    expect(written).toContain("t-1");
    expect(written).toContain("bad ⏎ forged");
    expect(written).not.toMatch(/gk-1|topsecretvalue/);
  }
});

test("secrets are found by names of settings and inside URLs, short values and numbers are left out", () => {
  const env = {
    LLM_API_KEY: "sk-1234567890",
    GIT_READ_CREDENTIAL: "me:secret-45678",
    MODAL_TOKEN_ID: "ak-12345",
    LLM_MAX_TOKENS: "819200000",
    GIT_REPO_URL: "https://someone:p%40ssword99@host/x.git",
    REDIS_URL: "redis://127.0.0.1:6379",
    SHORT_KEY: "abc",
    PATH: "/usr/bin",
  };
  expect(secretsOf(env).toSorted()).toEqual([
    "ak-12345",
    "me:secret-45678",
    "p%40ssword99",
    "p@ssword99",
    "secret-45678",
    "sk-1234567890",
  ]);
});

test("a line that is logged within a trace carries its id, any other none", () => {
  let written = "";
  const destination = { write: (text: string) => void (written += text) };
  const log = createLogger({ service: "test", format: "json", destination });
  const trace = newTraceparent();
  withTrace(trace, () => log.info("within"));
  log.info("outside");
  const lines = written
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { msg: string; traceId?: string });
  expect(lines.map(({ msg, traceId }) => [msg, traceId])).toEqual([
    ["within", traceIdOf(trace)],
    ["outside", undefined],
  ]);
});
