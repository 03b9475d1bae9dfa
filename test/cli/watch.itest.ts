import { afterAll, beforeAll, expect, test } from "vitest";
import { startApi, type TestApi } from "../../services/api/testing/start-api.ts";
import { openEmitter } from "../../services/api/testing/emit-events.ts";
import { waitUntil } from "../support/wait-until.ts";
import { runSwarm, startSwarm, type RunningCommand } from "./run-swarm.ts";

let api: TestApi;
let emit: ReturnType<typeof openEmitter>;
beforeAll(async () => {
  api = await startApi();
  emit = openEmitter(api);
});
afterAll(() => api[Symbol.asyncDispose]());

const start = (...args: string[]) => startSwarm(args, { SWARM_URL: api.url });
const shows = (running: RunningCommand, text: string) =>
  waitUntil(`"${text}"`, 20_000, () => (running.stdout().includes(text) ? true : null), running.stdout);

test("without a terminal watch prints each changed line once, and exits 0 when all features are done", async () => {
  const { featureId } = await emit.task("watched", "running");
  const watching = start("watch", featureId);
  await shows(watching, "queued");
  await emit.feature(featureId, "building", 3);
  await shows(watching, "building");
  await emit.feature(featureId, "done", 4);
  expect(await watching.ended).toBe(0);
  const lines = watching.stdout().trimEnd().split("\n");
  expect(watching.stdout()).not.toContain("\u001b");
  expect(new Set(lines).size).toBe(lines.length);
  expect(lines.filter((line) => line.includes("The feature of watched"))).toHaveLength(3);
  expect(lines.findLast((line) => line.includes("The feature of watched"))).toMatch(/^✓ .* done +1\/1$/);
});

test("watch --json prints one JSON value on stdout and the progress on stderr", async () => {
  const { featureId } = await emit.task("doomed", "running");
  const watching = start("watch", featureId, "--json");
  await waitUntil("the progress on stderr", 20_000, () =>
    watching.stderr().includes("queued") ? true : null,
  );
  await emit.feature(featureId, "failed", 3, "three red sweeps\nmore of it");
  expect(await watching.ended).toBe(1);
  expect(JSON.parse(watching.stdout())).toMatchObject([{ id: featureId, status: "failed" }]);
  expect(watching.stderr()).toContain("three red sweeps");
});

test("watch of a held feature, which waits for a person, ends with exit code 1", async () => {
  const { featureId } = await emit.task("waiting", "held");
  await emit.feature(featureId, "held", 3, "touches package.json");
  const { code, stdout } = await runSwarm(["watch", featureId], { SWARM_URL: api.url });
  expect(code).toBe(1);
  expect(stdout).toContain("touches package.json");
});

test("watch survives a restart of the api", async () => {
  const { featureId } = await emit.task("patient", "running");
  const watching = start("watch", featureId);
  await shows(watching, "queued");
  api.service.child.kill("SIGKILL");
  await api.service.ended;
  await api.again();
  await emit.feature(featureId, "done", 3);
  expect(await watching.ended).toBe(0);
  expect(watching.stderr()).toBe("");
});

test("submit --watch finds a feature beyond the first page of the list", async () => {
  const submitted = start("submit", "The first of many", "--watch", "--json");
  const id = await waitUntil("its listing", 20_000, async () => {
    const { features } = (await (await api.ask("/v1/features?q=first%20of%20many")).json()) as {
      features: { id: string }[];
    };
    return features[0]?.id ?? null;
  });
  const many = Array.from({ length: 210 }, (_, nth) => api.post("/v1/features", { title: `Newer ${nth}` }));
  await Promise.all(many);
  await waitUntil("a list of two pages", 20_000, async () => {
    const { cursor } = (await (await api.ask("/v1/features?limit=200")).json()) as { cursor: string | null };
    return cursor;
  });
  await emit.feature(id, "done", 3);
  expect(await submitted.ended).toBe(0);
  expect(JSON.parse(submitted.stdout())).toMatchObject([{ id, title: "The first of many", status: "done" }]);
});

test("a closed pipe, as by `head`, ends the command without an error", async () => {
  const { featureId } = await emit.task("unread", "running");
  const watching = start("watch", featureId);
  await shows(watching, "queued");
  watching.child.stdout?.destroy();
  await emit.feature(featureId, "building", 3);
  expect(await watching.ended).toBe(0);
  expect(watching.stderr()).toBe("");
});
