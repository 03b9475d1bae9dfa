import { expect, test } from "vitest";
import { asFault } from "./as-fault.ts";
import { classifyGitFailure, classifyOriginRefusal } from "./classify-git.ts";
import { classifyStatus } from "./classify-status.ts";
import { Fault } from "./fault.ts";

const replyError = (message: string) => Object.assign(new Error(message), { name: "ReplyError" });
const systemError = (code: string) => Object.assign(new Error(`${code}: write`), { code });

test.each(["ENOSPC", "EDQUOT"])("%s is a full disk, which the operator ends", (code) => {
  const fault = asFault(systemError(code));
  expect(fault).toMatchObject({ code: "disk.full", source: "operator", retryable: true });
  expect(fault.message).toContain("free space");
});

test.each(["EROFS", "EACCES", "EPERM", "EMFILE", "ENFILE"])("%s is the operator's", (code) => {
  expect(asFault(systemError(code))).toMatchObject({ source: "operator", retryable: true });
});

test.each(["ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ETIMEDOUT", "ENOMEM", "EPIPE", "EAGAIN"])(
  "%s is the machine's and passes",
  (code) => {
    expect(asFault(systemError(code))).toMatchObject({ source: "machine", retryable: true });
  },
);

test("an error of the system is found behind the error that it caused", () => {
  const fetchFailed = new TypeError("fetch failed", { cause: systemError("ECONNREFUSED") });
  expect(asFault(fetchFailed)).toMatchObject({ source: "machine", retryable: true });
  const both = new AggregateError([systemError("ECONNREFUSED"), systemError("ENETUNREACH")]);
  expect(asFault(both)).toMatchObject({ source: "machine", message: "ECONNREFUSED: write" });
});

test.each([
  "OOM command not allowed when used memory > 'maxmemory'.",
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
  "LOADING Redis is loading the dataset in memory",
  "READONLY You can't write against a read only replica.",
])("a refusal of Redis that passes: %s", (message) => {
  expect(asFault(replyError(message))).toMatchObject({
    code: "redis.unavailable",
    source: "machine",
    retryable: true,
  });
});

test("a discarded transaction is what its commands were refused for", () => {
  const discarded = replyError("EXECABORT Transaction discarded because of previous errors.");
  const because = (message: string) => Object.assign(discarded, { previousErrors: [replyError(message)] });
  expect(asFault(because("OOM command not allowed when used memory > 'maxmemory'."))).toMatchObject({
    code: "redis.unavailable",
    retryable: true,
  });
  expect(asFault(because("ERR wrong number of arguments"))).toMatchObject({ source: "bug" });
});

test("a closed connection passes; missing rights are the operator's; a wrong command is a bug", () => {
  expect(asFault(new Error("Connection is closed."))).toMatchObject({ source: "machine", retryable: true });
  expect(asFault(replyError("NOPERM this user has no permissions to run the 'set' command"))).toMatchObject({
    code: "redis.misconfigured",
    source: "operator",
    retryable: true,
  });
  expect(asFault(replyError("WRONGTYPE Operation against a key"))).toMatchObject({
    source: "bug",
    retryable: false,
  });
});

test("what nothing else explains is a bug", () => {
  for (const error of [new TypeError("x is undefined"), new Error("ECONNREFUSED by something else"), "text"])
    expect(asFault(error)).toMatchObject({ code: "internal", source: "bug", retryable: false });
});

test("a fault stays itself; a retryable one is neither a bug nor the agent's", () => {
  const fault = new Fault("git.refused", "an escape");
  expect(asFault(fault)).toBe(fault);
  expect(fault).toMatchObject({ source: "agent", retryable: false });
  expect(new Fault("git.refused", "the lease is lost", { retryable: true })).toMatchObject({
    source: "machine",
  });
  expect(new Fault("target.invalid", "swarm.json is not JSON")).toMatchObject({
    source: "operator",
    retryable: true,
  });
});

test.each([
  ["error: file write failed: No space left on device", "disk.full"],
  ["fatal: unable to create thread: Resource temporarily unavailable", "machine.failed"],
])("git: %s", (stderr, code) => {
  expect(classifyGitFailure(stderr)).toMatchObject({ code });
});

test.each([
  "remote: error: refusing to update checked out branch: refs/heads/main\n! [remote rejected] (branch is currently checked out)",
  "remote: error: GH006: Protected branch update failed for refs/heads/main.",
  "! [remote rejected] main -> main (pre-receive hook declined)",
  "fatal: Authentication failed for 'https://example.com/a.git/'",
  "git@example.com: Permission denied (publickey).",
  "remote: Repository not found.",
])("an origin that refuses: %s", (output) => {
  expect(classifyOriginRefusal(output)).toMatchObject({ code: "origin.refused", source: "operator" });
});

test("an origin that is away does not refuse", () => {
  expect(classifyOriginRefusal("fatal: unable to access 'https://x/': Could not resolve host: x")).toBeNull();
});

test("a refused credential is the operator's, an overloaded service passes, a refused request does not", () => {
  expect(classifyStatus(401, "model")).toEqual({ source: "operator", retryable: true });
  expect(classifyStatus(529, "model")).toEqual({ source: "model", retryable: true });
  expect(classifyStatus(400, "model")).toEqual({ source: "model", retryable: false });
});
