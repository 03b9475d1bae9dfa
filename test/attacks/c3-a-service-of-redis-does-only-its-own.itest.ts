import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSender, hasSchedule, openQueue } from "@agentswarm/queue";
import { redisProgram } from "../../tools/local/programs.ts";
import {
  openRedisPasswords,
  REDIS_USERS,
  redisAcl,
  redisUrlFor,
  type RedisUser,
} from "../../tools/local/redis-users.ts";
import { audit } from "../../services/planner/src/audit.ts";
import { step } from "../../services/planner/src/carry-out.ts";
import { handlePlan } from "../../services/planner/src/handle-plan.ts";
import { adoptPlan } from "../../services/planner/src/ledger/adopt-plan.ts";
import { tasksIn } from "../../services/planner/src/ledger/find-tasks.ts";
import {
  DEFAULTS,
  feature,
  handoffOf,
  OUTCOMES,
  planned,
} from "../../services/planner/testing/make-ledger.ts";
import { openContext } from "../../services/planner/testing/open-context.ts";
import { answersPing } from "../../tools/local/wait-for.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait-until.ts";

const PREFIX = "attacked";
let dir: string;
let port: number;
let passwords: Record<RedisUser, string>;
let server: ChildProcess;

async function startServer(): Promise<ChildProcess> {
  const binary = process.env["SWARM_REDIS_SERVER"] ?? "redis-server";
  const acl = join(dir, "users.acl");
  const program = redisProgram(binary, { port, dir, acl }, process.env, () => undefined);
  // Without the guard around it, so that a kill is Redis's own.
  const [, command = binary, ...args] = program.args;
  const child = spawn(command, args, { env: program.env, stdio: "ignore" });
  await waitUntil("Redis", 20_000, async () => ((await answersPing(port)) ? true : null));
  return child;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "swarm-attack-redis-"));
  port = await freePort();
  passwords = await openRedisPasswords(dir);
  writeFileSync(join(dir, "users.acl"), redisAcl(PREFIX, passwords), { mode: 0o600 });
  server = await startServer();
});
afterAll(async () => {
  server.kill("SIGTERM");
  await once(server, "exit");
  rmSync(dir, { recursive: true, force: true });
});

/** Sends one command as a user; returns the first line of its answer. */
async function ask(user: RedisUser | null, ...command: string[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  const words = (all: readonly string[]) =>
    `*${all.length}\r\n${all.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
  if (user !== null) socket.write(words(["AUTH", user, passwords[user]]));
  socket.end(words(command));
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer.split("\r\n")[user === null ? 0 : 1] ?? "";
}

test("without a password nothing is answered", async () => {
  expect(await ask(null, "DBSIZE")).toMatch(/^-NOAUTH/);
  expect(await ask(null, "AUTH", "planner", "wrong")).toMatch(/^-WRONGPASS/);
});

test("the passwords are one for each user, the same after a restart, and only their owner can read them", async () => {
  expect(new Set(Object.values(passwords)).size).toBe(REDIS_USERS.length);
  expect(await openRedisPasswords(dir)).toEqual(passwords);
  for (const file of ["secret", "users.acl"]) expect(statSync(join(dir, file)).mode & 0o077).toBe(0);
});

test.each([
  ["FLUSHALL"],
  ["FLUSHDB"],
  ["CONFIG", "SET", "dir", "/tmp"],
  ["SHUTDOWN", "NOSAVE"],
  ["DEBUG", "SLEEP", "0"],
  ["KEYS", "*"],
  ["SCAN", "0"],
  ["MONITOR"],
  ["ACL", "LIST"],
  ["ACL", "SETUSER", "planner", "+@all"],
  ["REPLICAOF", "127.0.0.1", "1"],
  ["MODULE", "LIST"],
  ["CLIENT", "KILL", "TYPE", "normal"],
  ["FUNCTION", "LIST"],
  ["SCRIPT", "FLUSH"],
  ["MIGRATE", "127.0.0.1", "1", "key", "0", "1"],
])("no service may %s %s", async (...command) => {
  for (const user of REDIS_USERS)
    expect([user, await ask(user, ...command)]).toEqual([
      user,
      expect.stringMatching(/^-(?:NOPERM|ERR DEBUG)/),
    ]);
});

test.each([
  ["merger", "task"],
  ["reconciler", "merge"],
  ["reconciler", "task"],
  ["dispatcher", "sweep"],
] as const)("the %s cannot forge a message of the queue %s", async (user, queue) => {
  const key = `{${PREFIX}}:${queue}:wait`;
  expect(await ask(user, "LPUSH", key, "forged")).toMatch(/^-NOPERM/);
  const script = "return redis.call('LPUSH', KEYS[1], 'forged')";
  expect(await ask(user, "EVAL", script, "1", key)).toMatch(/^-NOPERM/);
  // A script that hides its key.
  expect(await ask(user, "EVAL", `return redis.call('LPUSH', '${key}', 'forged')`, "0")).toMatch(/^-/);
  expect(await ask("operator", "EXISTS", key)).toBe(":0");
});

test.each(["dispatcher", "merger", "reconciler", "api"] as const)(
  "the %s can neither read nor change the planner's ledgers",
  async (user) => {
    for (const key of [
      "ledger:feature-1:head",
      "ledger:feature-1:tasks",
      "ledgers:all",
      "documents:ledger",
    ]) {
      const ledger = `{${PREFIX}}:swarm:${key}`;
      expect(await ask(user, "HGETALL", ledger)).toMatch(/^-NOPERM/);
      expect(await ask(user, "HSET", ledger, "feature", "{}")).toMatch(/^-NOPERM/);
    }
  },
);

test("the merger alone holds the lease, and the api alone writes the log of events", async () => {
  expect(await ask("reconciler", "SET", `{${PREFIX}}:swarm:leases:main`, "mine")).toMatch(/^-NOPERM/);
  expect(await ask("dispatcher", "XADD", `{${PREFIX}}:swarm:events`, "*", "event", "{}")).toMatch(/^-NOPERM/);
});

test("the keys of another swarm on the same server are out of reach", async () => {
  for (const user of REDIS_USERS)
    expect(await ask(user, "GET", "{other}:swarm:counters")).toMatch(/^-NOPERM/);
});

test("each service can connect, read the eviction policy and send an event", async () => {
  const services = REDIS_USERS.filter((user) => user !== "merger" && user !== "operator");
  for (const service of services) {
    const redisUrl = redisUrlFor(service, passwords[service], `127.0.0.1:${port}`);
    const errors: unknown[] = [];
    await using connection = await openQueue({
      redisUrl,
      prefix: PREFIX,
      service,
      onError: (e) => errors.push(e),
    });
    expect(await connection.redis.config("GET", "maxmemory-policy")).toContain("noeviction");
    await createSender(connection, service).send("plan", { kind: "audit" });
    expect(errors).toEqual([]);
  }
});

test("the planner can do all that its ledger needs", async () => {
  const redisUrl = redisUrlFor("planner", passwords.planner, `127.0.0.1:${port}`);
  await using connection = await openQueue({ redisUrl, prefix: PREFIX, service: "planner" });
  await using open = openContext(connection);
  const { ctx } = open;
  const { id } = feature;
  await handlePlan(ctx, { kind: "feature", feature }, "m-1");
  await step(ctx, id, (now) => now && adoptPlan(now, [planned("a")], DEFAULTS));
  const a = await ctx.ledgers.read(id, (now) => now && tasksIn(now, ["sent"])[0]);
  if (!a) throw new Error("nothing was sent");
  await audit(ctx);
  expect(await ctx.ledgers.featureOf(a.task.id)).toBe(id);
  const landed = {
    kind: "handoff" as const,
    featureId: id,
    handoff: handoffOf(a, 1),
    outcome: OUTCOMES.landed,
  };
  await handlePlan(ctx, landed, "m-2");
  expect(await ctx.history.all()).toHaveLength(1);
  await handlePlan(ctx, { kind: "cancel", featureId: id, by: "ada", via: "rest", why: "" }, "m-3");
  const ended = await ctx.ledgers.get(id);
  expect(ended && (await ctx.ledgers.forget(ended))).toBe(true);
});

test("what a service wrote in a transaction is there after Redis was killed and started again", async () => {
  const open = () =>
    openQueue({
      redisUrl: redisUrlFor("planner", passwords.planner, `127.0.0.1:${port}`),
      prefix: PREFIX,
      service: "planner",
      onError: () => undefined,
    });
  const everyMs = 600_000;
  {
    await using connection = await open();
    // BullMQ adds schedules and jobs by scripts, whose writes Redis logs as transactions.
    await createSender(connection, "planner").schedule("plan", "audit", everyMs, { kind: "audit" });
    expect(await hasSchedule(connection, "plan", "audit")).toBe(true);
  }
  server.kill("SIGKILL");
  await once(server, "exit");
  server = await startServer();
  await using connection = await open();
  expect(await hasSchedule(connection, "plan", "audit")).toBe(true);
});
