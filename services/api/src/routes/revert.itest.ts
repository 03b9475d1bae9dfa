import { afterAll, beforeAll, expect, test } from "vitest";
import type { FeatureStatus } from "@agentswarm/contracts";
import { pendingBodies } from "../../../../test/support/queue.ts";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { openEmitter } from "../../testing/emit-events.ts";
import { startApi, type TestApi } from "../../testing/start-api.ts";

let api: TestApi;
let emit: ReturnType<typeof openEmitter>;
beforeAll(async () => {
  api = await startApi();
  emit = openEmitter(api);
});
afterAll(() => api[Symbol.asyncDispose]());

const REVERT = { by: "ada", via: "cli", why: "it broke the login", at: 5 } as const;

/** A feature in this state; shown so when this resolves. */
async function feature(id: string, status: FeatureStatus, revert: typeof REVERT | null): Promise<string> {
  const counts = { total: 1, ready: 0, underWay: 0, landed: 1, failed: 0, held: 0 };
  const submitted = {
    id,
    title: id,
    description: "",
    acceptance: [],
    priority: 5,
    source: "rest",
    createdAt: 1,
  };
  await emit.event("feature.submitted", { featureId: id }, submitted);
  const changed = { status, reason: null, costUsd: 0, tokens: 0, finishedAt: null, counts, revert };
  await emit.event("feature.changed", { featureId: id, ledgerVersion: 1 }, changed);
  await waitUntil(`${id} shown as ${status}`, 20_000, async () => {
    const answer = await api.ask(`/v1/features/${id}`);
    return answer.ok && ((await answer.json()) as { status: string }).status === status ? true : null;
  });
  return id;
}
const post = async (path: string, body: object) => {
  const answer = await api.post(path, body);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

test("a revert names who and why; a revert that failed is taken up again", async () => {
  for (const [id, state, revert] of [
    ["feature-done", "done", null],
    ["feature-failed", "failed", REVERT],
  ] as const) {
    await feature(id, state, revert);
    expect((await post(`/v1/features/${id}/revert`, { why: "it broke" })).status).toBe(202);
    expect(await pendingBodies(api.connection, "plan")).toContainEqual({
      kind: "revert",
      featureId: id,
      why: "it broke",
      by: "local",
      via: "rest",
    });
  }
  expect((await post("/v1/features/feature-done/revert", {})).status).toBe(400);
});

test("what is being reverted, or was, is not reverted, cancelled or retried, and says by whom it was", async () => {
  const now = await feature("feature-now", "building", REVERT);
  const over = await feature("feature-over", "cancelled", REVERT);
  expect(await post(`/v1/features/${now}/revert`, { why: "again" })).toMatchObject({
    status: 409,
    body: { detail: "the feature is being reverted by ada: it broke the login" },
  });
  expect(await post(`/v1/features/${over}/revert`, { why: "again" })).toMatchObject({
    status: 409,
    body: { detail: "the feature was reverted by ada: it broke the login" },
  });
  expect(await post(`/v1/features/${now}/cancel`, {})).toMatchObject({
    status: 409,
    body: { type: "urn:agentswarm:being-reverted" },
  });
  expect((await post(`/v1/features/${over}/retry`, {})).status).toBe(409);
  expect(await (await api.ask(`/v1/features/${over}`)).json()).toMatchObject({ revert: REVERT });
});
