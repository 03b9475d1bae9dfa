import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId, subjectOf } from "@agentswarm/contracts";
import { jobBody, openWaiting } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { json, startBackend, USAGE, type ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

const ANSWER = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};
const REFUSAL = { error: { message: "Incorrect API key provided" } };
const WITHIN_MS = 30_000;

let isAccepted = false;
let swarm: TestSwarm;
let backend: ScriptedBackend;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  backend = stack.use(
    await startBackend((...exchange) =>
      json(isAccepted ? 200 : 401, isAccepted ? ANSWER : REFUSAL)(...exchange),
    ),
  );
  swarm = stack.use(await openSwarm(backend.baseUrl));
  stack.use(await swarm.dispatcher());
});
afterAll(() => stack.disposeAsync());

test("while the model refuses the key, tasks wait with the setting's name and open no attempt, then go on", async () => {
  const { connection } = swarm;
  const first = await swarm.submit("work");
  const lost = await waitUntil("its handoff", WITHIN_MS, () =>
    jobBody(connection, "plan", jobId.handoff(first.id, 1)),
  );
  expect(lost).toMatchObject({
    handoff: { end: "lost", reason: expect.stringContaining("correct LLM_API_KEY") },
  });

  const second = await swarm.submit("work");
  const waiting = openWaiting(connection);
  const shown = await waitUntil("its reason", WITHIN_MS, async () =>
    (await waiting.read()).task(second.featureId, second.id),
  );
  expect(shown).toMatchObject({ source: "operator", reason: expect.stringContaining("correct LLM_API_KEY") });
  const events = await bullQueue(connection, "event").getJobs();
  const ofSecond = events
    .map((job) => (job.data as { body: Parameters<typeof subjectOf>[0] }).body)
    .filter((event) => subjectOf(event).taskId === second.id);
  expect(ofSecond.map(({ type }) => type)).toEqual(["task.waiting"]);

  isAccepted = true;
  const request = await waitUntil("its merge request", WITHIN_MS, () =>
    jobBody(connection, "merge", jobId.merge(second.id, 1)),
  );
  expect(request).toMatchObject({ handoff: { end: "submitted" } });
  await waitUntil("the end of the wait", WITHIN_MS, async () =>
    (await waiting.read()).task(second.featureId, second.id) === null ? true : null,
  );
});
