import { afterAll, beforeAll, expect, test } from "vitest";
import { isEventOf, type DomainEvent, type EventData, type EventType } from "@agentswarm/contracts";
import { consume, openBackendOutages } from "@agentswarm/queue";
import {
  json,
  startBackend,
  type Reply,
  type ScriptedBackend,
} from "../../../test/support/scripted-backend.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

const answer = json(200, {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1_000_000, completion_tokens: 0 },
});
const BREAKER_OPENS_AFTER = 5;

let down = true;
let [first, second]: ScriptedBackend[] = [];
let swarm: TestSwarm;
const events: DomainEvent[] = [];
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const broken: Reply = (_, response) => response.writeHead(500).end("no\u001b[31m disk");
  first = stack.use(await startBackend((...exchange) => (down ? broken : answer)(...exchange)));
  second = stack.use(await startBackend(answer));
  swarm = stack.use(await openSwarm(first.baseUrl));
  stack.use(
    await consume(swarm.connection, "event", async (event) => void events.push(event), { concurrency: 1 }),
  );
  const LLM_BACKENDS = JSON.stringify([
    { name: "first", baseUrl: first.baseUrl, model: "glm-5" },
    { name: "second", baseUrl: second.baseUrl, model: "glm-5.3" },
  ]);
  stack.use(await swarm.dispatcher({ LLM_BACKENDS }));
});
afterAll(() => stack.disposeAsync());

const of = <T extends EventType>(type: T): EventData<T>[] =>
  events.filter(isEventOf(type)).map((event) => event.data as EventData<T>);

test("events name the backend that answered, and the backends that open and close", async () => {
  for (let n = 0; n < BREAKER_OPENS_AFTER; n += 1) await swarm.submit("work", { key: `work-${n}` });
  await expect.poll(() => of("model.used").length, { timeout: 30_000 }).toBe(BREAKER_OPENS_AFTER);
  for (const data of of("model.used"))
    expect(data).toMatchObject({
      role: "work",
      backend: "second",
      model: "glm-5.3",
      costUsd: expect.closeTo(1.4, 3) as number,
    });
  await expect.poll(() => of("backend.opened")).toEqual([{ backend: "first", why: "500: no disk" }]);
  expect(of("backend.closed")).toEqual([]);
  const outages = openBackendOutages(swarm.connection);
  await expect.poll(() => outages.all()).toMatchObject([{ backend: "first", why: "500: no disk" }]);

  down = false;
  let more = 0;
  await expect
    .poll(
      async () => {
        more += 1;
        await swarm.submit("work", { key: `more-${more}` });
        return of("backend.closed");
      },
      { timeout: 30_000, interval: 1_000 },
    )
    .toEqual([{ backend: "first" }]);
  await expect.poll(() => outages.all()).toEqual([]);
  await expect
    .poll(() => of("model.used").some((data) => data.backend === "first"), { timeout: 30_000 })
    .toBe(true);
});
