import { afterAll, beforeAll, expect, test } from "vitest";
import { newTraceparent, traceIdOf } from "@agentswarm/contracts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startApi, type TestApi } from "../testing/start-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const submit = async (headers: Record<string, string> = {}) => {
  const answer = await api.post("/v1/features", { title: "Traced" }, headers);
  const { id } = (await answer.json()) as { id: string };
  const job = await bullQueue(api.connection, "plan").getJob(`feature-${id}`);
  return {
    answered: traceIdOf(answer.headers.get("traceparent") ?? ""),
    sent: traceIdOf(String(job?.data.trace)),
  };
};

test("a submission opens a trace, which the answer and the plan's message name", async () => {
  const first = await submit();
  expect(first.answered).toMatch(/^[0-9a-f]{32}$/);
  expect(first.sent).toBe(first.answered);
  expect((await submit()).sent).not.toBe(first.sent);
});

test("a valid traceparent of the request is continued", async () => {
  const traceparent = newTraceparent();
  const { answered, sent } = await submit({ traceparent });
  expect([answered, sent]).toEqual([traceIdOf(traceparent), traceIdOf(traceparent)]);
});

test("a traceparent that is not valid starts a new trace", async () => {
  const { answered, sent } = await submit({ traceparent: "00-nonsense-01" });
  expect(answered).toMatch(/^[0-9a-f]{32}$/);
  expect(sent).toBe(answered);
});

test("a refusal names its trace too", async () => {
  const traceparent = newTraceparent();
  const answer = await api.ask("/v1/features/none", { headers: { traceparent } });
  expect(answer.status).toBe(404);
  expect(traceIdOf(answer.headers.get("traceparent") ?? "")).toBe(traceIdOf(traceparent));
});
