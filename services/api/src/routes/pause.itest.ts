import { afterAll, beforeAll, expect, test } from "vitest";
import { openPauses } from "@agentswarm/queue";
import { pendingBodies } from "../../../../test/support/queue.ts";
import { startApi, type TestApi } from "../../testing/start-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const post = async (path: string, body: object) => {
  const answer = await api.post(path, body);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const sent = async () => (await pendingBodies(api.connection, "plan")) as unknown[];

test("a pause names what, who and why; what is paused shows in the status and cannot be paused again", async () => {
  const landings = { kind: "landings", repoId: "main" } as const;
  const asked = { scope: { kind: "landings" }, why: "an incident" };
  expect(await post("/v1/pause", asked)).toEqual({ status: 202, body: { scope: landings } });
  const message = { kind: "pause", scope: landings, paused: true, why: "an incident", by: "local" };
  expect(await sent()).toContainEqual(expect.objectContaining(message));

  const pause = { by: "ada", via: "cli", why: "an incident", at: 5 } as const;
  await openPauses(api.connection).begin(landings, pause);
  expect(await (await api.ask("/v1/status")).json()).toMatchObject({ paused: [{ scope: landings, pause }] });
  expect(await post("/v1/pause", asked)).toMatchObject({
    status: 409,
    body: { detail: "landings/main is paused already, by ada: an incident" },
  });
  expect((await post("/v1/resume", { scope: landings })).status).toBe(202);
  expect(await sent()).toContainEqual(expect.objectContaining({ kind: "pause", paused: false }));
});

test.each([
  ["a pause without a reason", "/v1/pause", {}, 400],
  [
    "a pause of an unknown feature",
    "/v1/pause",
    { scope: { kind: "feature", featureId: "no" }, why: "x" },
    404,
  ],
  [
    "a pause of an unknown repository",
    "/v1/pause",
    { scope: { kind: "landings", repoId: "no" }, why: "x" },
    404,
  ],
  ["resuming what is not paused", "/v1/resume", {}, 409],
] as const)("%s is refused", async (_what, path, body, status) => {
  expect((await post(path, body)).status).toBe(status);
});
