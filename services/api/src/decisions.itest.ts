import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnsweredDecision, Decision, DecisionPage, SwarmStatus } from "@agentswarm/contracts";
import { freePort } from "../../../test/support/free-port.ts";
import { pendingBodies } from "../../../test/support/queue.ts";
import { startService, type RunningService } from "../../../test/support/service.ts";
import { decideByHand, openDecisionEmitter } from "../testing/decide-by-hand.ts";
import { HELD, openEmitter } from "../testing/emit-events.ts";
import { LOOKED_AT, makeDecision } from "../testing/make-decision.ts";
import { startApi, type TestApi } from "../testing/start-api.ts";

const OTHER_HEAD = "b".repeat(40);

let api: TestApi;
let second: RunningService;
let urls: string[];
let emit: ReturnType<typeof openDecisionEmitter>;
beforeAll(async () => {
  api = await startApi();
  const port = String(await freePort());
  second = startService("api", { ...api.env, API_PORT: port });
  await second.says("answering");
  urls = [api.url, `http://127.0.0.1:${port}`];
  emit = openDecisionEmitter(api);
});
afterAll(async () => {
  await second.stop();
  await api[Symbol.asyncDispose]();
});

const answer = async (
  id: string,
  body: object,
  { head, url = api.url }: { head?: string; url?: string } = {},
) => {
  const headers = {
    "content-type": "application/json",
    ...(head === undefined ? {} : { "if-match": `"${head}"` }),
  };
  const answered = await fetch(`${url}/v1/decisions/${id}/answer`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return { status: answered.status, body: (await answered.json()) as Record<string, unknown> };
};
const list = async (query = "") =>
  ((await (await api.ask(`/v1/decisions${query}`)).json()) as DecisionPage).decisions.map(({ id }) => id);

test("of 50 answers at once over two apis one counts, and the others are refused with the name of the faster person (G1)", async () => {
  const decision = await emit.shown("decision.asked", makeDecision("d-race"));
  await using _planner = await decideByHand(api.connection, emit, [decision]);
  const given = await Promise.all(
    Array.from({ length: 50 }, (_, nth) =>
      answer(
        "d-race",
        { option: nth % 2 === 0 ? "approve" : "refuse", text: `answer ${nth}` },
        { head: LOOKED_AT, url: urls[nth % 2] ?? "" },
      ),
    ),
  );
  const won = given.filter(({ status }) => status === 200);
  const lost = given.filter(({ status }) => status !== 200);
  expect([won.length, lost.length]).toEqual([1, 49]);
  for (const one of lost) {
    expect(one).toMatchObject({ status: 409, body: { type: "urn:agentswarm:decided-already" } });
    expect(one.body["detail"]).toMatch(/^local (was faster|answered `(approve|refuse)` \d s earlier)$/);
  }
  const { outcome, answers } = won.map(({ body }) => body as unknown as AnsweredDecision)[0] ?? {};
  expect(answers).toHaveLength(1);
  const shown = (await (await api.ask("/v1/decisions/d-race")).json()) as Decision;
  expect(shown).toMatchObject({ state: "answered", outcome, answers });
});

test("an answer about an old head is refused with 412, one about no head with 428, and nothing is sent", async () => {
  await emit.shown("decision.asked", makeDecision("d-head"));
  expect(await answer("d-head", { option: "approve" }, { head: OTHER_HEAD })).toMatchObject({
    status: 412,
    body: { type: "urn:agentswarm:head-changed", detail: expect.stringContaining(LOOKED_AT) },
  });
  expect(await answer("d-head", { option: "approve" })).toMatchObject({
    status: 428,
    body: { type: "urn:agentswarm:head-required" },
  });
  expect((await answer("d-head", { option: "approve" }, { head: "*" })).status).toBe(400);
  expect((await answer("d-head", { option: "maybe" }, { head: LOOKED_AT })).status).toBe(422);
  expect((await answer("d-head", {}, { head: LOOKED_AT })).status).toBe(400);
  expect((await answer("d-none", { option: "approve" })).status).toBe(404);
  expect(JSON.stringify(await pendingBodies(api.connection, "plan"))).not.toContain("d-head");
  const shown = await api.ask("/v1/decisions/d-head");
  expect(shown.headers.get("etag")).toBe(`"${LOOKED_AT}"`);
  expect(await shown.json()).toMatchObject({ state: "open", answers: [] });
});

test("the planner's refusal of an answer becomes the request's, when the head changed on the way", async () => {
  const decision = await emit.shown("decision.asked", makeDecision("d-moved"));
  await using _planner = await decideByHand(api.connection, emit, [{ ...decision, head: OTHER_HEAD }]);
  expect(await answer("d-moved", { option: "approve" }, { head: LOOKED_AT })).toMatchObject({
    status: 412,
    body: { detail: "another head" },
  });
});

test("an answer with the same Idempotency-Key counts once and is answered the same again", async () => {
  const question = makeDecision("d-twice", { kind: "question", head: null, options: [] });
  await emit.shown("decision.asked", question);
  await using _planner = await decideByHand(api.connection, emit, [question]);
  const give = async () => {
    const given = await api.post(
      "/v1/decisions/d-twice/answer",
      { text: "Use UTC" },
      { "idempotency-key": "k" },
    );
    return { status: given.status, body: (await given.json()) as AnsweredDecision };
  };
  const first = await give();
  expect(first).toMatchObject({
    status: 200,
    body: { counted: true, outcome: { option: null, text: "Use UTC" } },
  });
  expect(await give()).toEqual(first);
});

test("open decisions are listed with the one that is due first at the top, and by kind, feature and person", async () => {
  const before = await list();
  const at = Date.now();
  const of = (id: string, more: Partial<Decision>) => emit.shown("decision.asked", makeDecision(id, more));
  const about = { featureId: "feature-listed", taskId: null, attempt: null };
  await of("d-late", { ...about, dueAt: at + 7_200_000 });
  await of("d-never", { ...about, dueAt: null, kind: "budget" });
  await of("d-soon", { ...about, dueAt: at + 3_600_000 });
  await of("d-overdue", {
    ...about,
    dueAt: at - 1_000,
    needs: { role: "reviewer", count: 1, notBy: ["local"] },
  });
  expect((await list()).filter((id) => !before.includes(id))).toEqual([
    "d-overdue",
    "d-soon",
    "d-late",
    "d-never",
  ]);
  expect(await list("?featureId=feature-listed&kind=landing")).toEqual(["d-overdue", "d-soon", "d-late"]);
  expect(await list("?featureId=feature-listed&mine=true")).toEqual(["d-soon", "d-late", "d-never"]);
  expect((await list("?mine=true")).includes("d-overdue")).toBe(false);
  const walked: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const next = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await (await api.ask(`/v1/decisions?limit=1${next}`)).json()) as DecisionPage;
    walked.push(...page.decisions.map(({ id }) => id));
    ({ cursor } = page);
  }
  expect(walked).toEqual(await list());

  const status = (await (await api.ask("/v1/status")).json()) as SwarmStatus;
  expect(status.decisions).toMatchObject({ open: walked.length, overdue: 1, byKind: { budget: 1 } });
  expect(status.decisions.oldestAskedAt).toBe(makeDecision("d").askedAt);
  const metrics = await (await api.ask("/metrics")).text();
  expect(metrics).toContain('agentswarm_decisions_open{kind="budget"} 1');
  expect(metrics).toContain("agentswarm_decisions_overdue 1");

  const withdrawn = { state: "withdrawn", endedAt: at, endReason: "the feature was cancelled" } as const;
  await emit.shown("decision.withdrawn", makeDecision("d-never", { ...about, ...withdrawn, kind: "budget" }));
  expect(await list("?featureId=feature-listed")).not.toContain("d-never");
  expect(await list("?state=withdrawn")).toEqual(["d-never"]);
  const late = await answer("d-never", { option: "approve" }, { head: LOOKED_AT });
  expect(late).toMatchObject({
    status: 409,
    body: { detail: "it was withdrawn: the feature was cancelled" },
  });
});

test("approve and refuse answer the task's open decision, and If-Match binds them to a head", async () => {
  const task = await openEmitter(api).task("held-one", "held");
  const decision = makeDecision("d-held", { featureId: task.featureId, taskId: task.id, head: HELD });
  await emit.shown("decision.asked", decision);
  const detail = (await (await api.ask(`/v1/features/${task.featureId}`)).json()) as {
    decisions: Decision[];
  };
  expect(detail.decisions).toMatchObject([{ id: "d-held" }]);
  await using _planner = await decideByHand(api.connection, emit, [decision]);
  const late = await api.post("/v1/tasks/held-one/approve", {}, { "if-match": `"${OTHER_HEAD}"` });
  expect(late.status).toBe(412);
  const refused = await api.post("/v1/tasks/held-one/refuse", { reason: "Not like this" });
  expect(refused.status).toBe(202);
  const shown = (await (await api.ask("/v1/decisions/d-held")).json()) as Decision;
  expect(shown).toMatchObject({ state: "answered", outcome: { option: "refuse", text: "Not like this" } });
  // The task's own event has not come yet.
  const slower = await api.post("/v1/tasks/held-one/approve", {});
  expect([slower.status, await slower.text()]).toEqual([
    409,
    expect.stringContaining("local answered `refuse`"),
  ]);
});
