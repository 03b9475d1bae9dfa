import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DOOR, handoffSchema, HANDOFF_LIMITS, NO_METRICS, type Handoff } from "@agentswarm/contracts";
import { createSender, openQueue } from "@agentswarm/queue";
import { removeOldFiles } from "@agentswarm/service";
import { removeOldEvents } from "../../services/api/src/remove-old-events.ts";
import { openTestIntake } from "../../services/api/testing/open-intake.ts";
import { decideEnd } from "../../services/dispatcher/src/decide-end.ts";
import { startRedis } from "../support/redis.ts";

const DAY_MS = 86_400_000;
const MIB = 1_024 * 1_024;
const text = "x".repeat(20_000);
const texts = Array.from({ length: 100 }, () => text);
const check = { command: text, exitCode: 1, durationMs: 1, outputTail: "y".repeat(1_000_000) };

/** Everything as large as a sandbox likes; the door alone would cut it at 2 MiB. */
const MAXIMAL = {
  outcome: "blocked",
  end: "submitted",
  summary: text,
  reason: text,
  did: texts,
  deviations: texts,
  concerns: texts,
  suggestions: texts,
  filesChanged: Array.from({ length: 10_000 }, (_, n) => `${"d/".repeat(100)}${n}`),
  checks: Array.from({ length: 200 }, () => check),
  metrics: NO_METRICS,
  headCommit: null,
};
const judge = (result: unknown) =>
  decideEnd({
    result,
    hasBundle: false,
    exit: { code: 0, signal: null },
    parked: null,
    cancelled: false,
    overrun: null,
    doorBroken: false,
    doorExceeded: null,
    reached: null,
    overBudget: null,
    usedUp: null,
    modelUnavailable: null,
    stderrTail: "",
  });

test("a result that is too long is cut field by field, and its attempt is judged as it says", () => {
  const result = judge(MAXIMAL);
  expect(result).toMatchObject({ end: "submitted", outcome: "blocked" });
  expect(result.did).toHaveLength(HANDOFF_LIMITS.notes);
  expect(result.did[0]).toHaveLength(HANDOFF_LIMITS.noteChars);
  expect(result.checks).toHaveLength(HANDOFF_LIMITS.checks);
  expect(JSON.stringify(result).length).toBeLessThan(250_000);
  expect(JSON.stringify(result).length * 6).toBeLessThan(DOOR.result.body.maxBytes);
});

test("a cut result is not cut again", () => {
  const once = judge(MAXIMAL);
  expect(judge(once)).toEqual(once);
});

test("five attempts with the largest results take less than 6 MiB of Redis", async () => {
  const dir = mkdtempSync(join(tmpdir(), "swarm-h8-"));
  await using redis = await startRedis({ exclusive: "it measures the server's memory" });
  await using connection = await openQueue({ redisUrl: redis.url, prefix: "h8", service: "test" });
  const sender = createSender(connection, "dispatcher");
  using intake = await openTestIntake(connection, dir);
  const used = async () =>
    Number(/used_memory:(\d+)/.exec(await connection.redis.info("memory"))?.[1] ?? Number.NaN);
  const before = await used();
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    // Not parsed: the queue bounds what it stores, whoever sends it.
    const handoff = { ...MAXIMAL, taskId: "task-1", attempt, round: 1, model: "m" } as unknown as Handoff;
    const about = { repoId: "main", featureId: "feature-1", taskId: "task-1", attempt };
    const event = { id: `ended-${attempt}`, type: "attempt.ended", ...about, data: handoff } as const;
    await sender.event(event);
    await sender.send("plan", { kind: "handoff", featureId: "feature-1", handoff, outcome: null });
    await intake.take({ ...event, data: handoffSchema.parse(handoff), at: Date.now(), actor: "dispatcher" });
  }
  expect(((await used()) - before) / MIB).toBeLessThan(6);
  rmSync(dir, { recursive: true });
});

test("old transcripts and old days of the event archive are removed", async () => {
  const dir = mkdtempSync(join(tmpdir(), "swarm-h8-"));
  for (const [task, days] of [
    ["old", 40],
    ["new", 1],
  ] as const) {
    mkdirSync(join(dir, task));
    writeFileSync(join(dir, task, "1.jsonl"), "{}\n");
    const at = new Date(Date.now() - days * DAY_MS);
    utimesSync(join(dir, task, "1.jsonl"), at, at);
  }
  await removeOldFiles(dir, Date.now() - 30 * DAY_MS);
  expect(readdirSync(dir)).toEqual(["new"]);

  const archive = join(dir, "events");
  mkdirSync(archive);
  for (const name of ["2025-01-01.jsonl", "2026-01-02.jsonl", "notes.txt"])
    writeFileSync(join(archive, name), "");
  await removeOldEvents(archive, { before: Date.parse("2026-01-02T12:00:00Z"), bytes: 1 });
  expect(readdirSync(archive).toSorted()).toEqual(["2026-01-02.jsonl", "notes.txt"]);
  rmSync(dir, { recursive: true });
});
