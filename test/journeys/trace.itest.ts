import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  newTraceparent,
  subjectOf,
  traceIdOf,
  type DomainEvent,
  type FeatureDetail,
} from "@agentswarm/contracts";
import { freePort } from "../support/free-port.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import { makeStringKit } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

interface LogLine {
  readonly service: string;
  readonly msg: string;
  readonly traceId?: string;
  readonly featureId?: string;
  readonly taskId?: string;
}

const TRACEPARENT = newTraceparent();
const TRACE_ID = traceIdOf(TRACEPARENT);

let dir: string;
let swarm: LocalSwarm;
let feature: FeatureDetail;
let events: DomainEvent[];
let lines: LogLine[];

const home = () => join(dir, "home");
const ofFeature = (one: { featureId?: string | undefined; taskId?: string | undefined }) =>
  one.featureId === feature.id || feature.tasks.some((task) => task.id === one.taskId);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-trace-"));
  swarm = await startSwarm({
    home: home(),
    env: {
      ...process.env,
      GIT_REPO_URL: makeStringKit(dir),
      API_PORT: String(await freePort()),
      REDIS_URL: "",
      LOG_FORMAT: "json",
      RECORDED_TARGET: "any",
    },
    scenarioDir: join(import.meta.dirname, "../fixtures/string-kit"),
    say: () => undefined,
  });
  const submitted = await fetch(`${swarm.apiUrl}/v1/features`, {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: TRACEPARENT },
    body: JSON.stringify({ title: "Turn titles into slugs", acceptance: ["slugify has a test"] }),
  });
  const { id } = (await submitted.json()) as { id: string };
  feature = await waitUntil("the feature's end", 120_000, async () => {
    const now = (await (await fetch(`${swarm.apiUrl}/v1/features/${id}`)).json()) as FeatureDetail;
    return now.status === "done" ? now : null;
  });
  await swarm.stop();
  const read = async <T>(folder: string): Promise<T[]> => {
    const files = await readdir(folder);
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    return texts.flatMap((text) =>
      text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as T] : [])),
    );
  };
  events = await read<DomainEvent>(join(home(), "artifacts", "events"));
  lines = await read<LogLine>(join(home(), "logs"));
});

afterAll(async () => {
  await swarm?.stop();
  await rm(dir, { recursive: true, force: true });
});

test("every event of a feature carries the trace of the request that submitted it", () => {
  const own = events.filter((event) => ofFeature(subjectOf(event)));
  expect(new Set(own.map((event) => event.type))).toEqual(
    new Set([
      "feature.submitted",
      "feature.changed",
      "plan.made",
      "task.planned",
      "task.sent",
      "task.changed",
      "attempt.started",
      "attempt.ended",
      "model.used",
      "landing.landed",
    ]),
  );
  expect(own.filter((event) => event.traceId !== TRACE_ID).map((event) => event.id)).toEqual([]);
});

test("the sweep that ends the feature belongs to its trace", () => {
  const swept = events.filter((event) => event.type === "sweep.finished" && event.traceId === TRACE_ID);
  expect(swept.length).toBeGreaterThan(0);
});

test("every log line about the feature or its tasks carries the trace", () => {
  const own = lines.filter(ofFeature);
  expect(own.length).toBeGreaterThan(10);
  expect(own.filter((line) => line.traceId !== TRACE_ID)).toEqual([]);
});

test("the trace leads through every service that has a hand in a landing", () => {
  const services = new Set(lines.filter((line) => line.traceId === TRACE_ID).map((line) => line.service));
  for (const service of ["api", "planner", "dispatcher", "merger", "reconciler"])
    expect(services).toContain(service);
});
