import { expect, test } from "vitest";
import { REST } from "@agentswarm/contracts";
import { createSender } from "@agentswarm/queue";
import { startApi } from "../testing/start-api.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";

test.each(["api.accepted", "api.enqueued"])(
  "killed at %s: the same Idempotency-Key gives the same feature afterwards, once (fault 5)",
  async (failpoint) => {
    await using api = await startApi({ FAILPOINT: failpoint });
    const submit = () => api.post("/v1/features", { title: "Survives" }, { "idempotency-key": "k" });
    // No answer was given, so nothing was accepted.
    await expect(submit()).rejects.toThrow();
    expect(await api.service.ended).toBe("SIGKILL");
    await api.again();
    const ids = [];
    for (const answer of [await submit(), await submit()]) {
      expect(answer.status).toBe(202);
      ids.push(((await answer.json()) as { id: string }).id);
    }
    expect(new Set(ids).size).toBe(1);
    expect(await bullQueue(api.connection, "plan").getJobCounts("waiting", "prioritized")).toMatchObject({
      waiting: 1,
    });
  },
);

test("killed before it answered: another body under the same Idempotency-Key is refused without an effect", async () => {
  await using api = await startApi({ FAILPOINT: "api.enqueued" });
  const submit = (title: string) => api.post("/v1/features", { title }, { "idempotency-key": "k" });
  await expect(submit("The first")).rejects.toThrow();
  await api.service.ended;
  await api.again();
  expect((await submit("Another")).status).toBe(422);
  const answer = await submit("The first");
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  const listed = await waitUntil("the list", 10_000, async () => {
    const { features } = (await (await api.ask("/v1/features")).json()) as { features: { title: string }[] };
    return features.length > 0 ? features : null;
  });
  expect(listed).toEqual([expect.objectContaining({ id, title: "The first" })]);
});

const BODIES: Readonly<Record<string, object>> = {
  "/v1/features": { title: "x" },
  "/v1/features/:id/budget": { usd: 1 },
  "/v1/features/:id/revert": { why: "x" },
  "/v1/features/:id/notes": { text: "x" },
  "/v1/tasks/:id/notes": { text: "x" },
  "/v1/decisions/:id/answer": { option: "x" },
  "/v1/pause": { scope: { kind: "swarm" }, why: "x" },
  "/v1/resume": { scope: { kind: "swarm" }, why: "x" },
};
/** Keys and diffs are files. */
const WITHOUT_REDIS = /^\/(?:healthz|v1\/(?:me|keys|tasks\/:id\/attempts))\b/;
/** A request of every route that asks Redis. */
const REQUESTS = Object.values(REST)
  .filter(({ path }) => !WITHOUT_REDIS.test(path))
  .map(({ method, path }): [path: string, RequestInit] => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(BODIES[path] ?? {});
    const address = path.replace(":queue", "plan").replace(":id", "some-id");
    return [address, method === "GET" ? {} : { method, headers, body }];
  });

test("while Redis is silent every route answers 503 with a time to wait, and the api recovers (fault 17)", async () => {
  await using api = await startApi({}, "the server is silent");
  await api.redis.pause();
  try {
    const signal = AbortSignal.timeout(10_000);
    const startedAt = Date.now();
    const answers = REQUESTS.map(
      async ([path, init]) => [path, await api.ask(path, { ...init, signal })] as const,
    );
    for (const [path, answer] of await Promise.all(answers)) {
      expect([path, answer.status]).toEqual([path, 503]);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(answer.headers.get("content-type")).toContain("application/problem+json");
    }
    // About two seconds; more on a busy machine.
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect((await api.ask("/healthz")).status).toBe(200);
  } finally {
    await api.redis.resume();
  }
  await waitUntil("the api's recovery", 30_000, async () =>
    (await api.ask("/readyz")).status === 200 ? true : null,
  );
  expect((await api.post("/v1/features", { title: "After it" })).status).toBe(202);
});

test("a reader of events that reconnects gets each event once, without a gap", async () => {
  await using api = await startApi();
  const sender = createSender(api.connection, "test");
  const send = (nth: number) =>
    sender.event({ id: `event-${nth}`, type: "backend.closed", data: { backend: String(nth) } });
  const all = Array.from({ length: 40 }, (_, nth) => nth);
  for (const nth of all.slice(0, 20)) await send(nth);

  let seen: number[] = [];
  let last = "0";
  /** Reads until `count` more have come, and hangs up in the middle of things. */
  const read = async (count: number) => {
    const hangUp = new AbortController();
    const answer = await api.ask("/v1/events", { headers: { "last-event-id": last }, signal: hangUp.signal });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    let text = "";
    const until = seen.length + count;
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) {
        const id = /^id: (.+)$/m.exec(message)?.[1];
        const data = /^data: (.+)$/m.exec(message)?.[1];
        if (id === undefined || data === undefined || seen.length === until) continue;
        last = id;
        seen.push(Number((JSON.parse(data) as { data: { backend: string } }).data.backend));
      }
      if (seen.length === until) break;
    }
    hangUp.abort();
  };
  await read(7);
  for (const nth of all.slice(20)) await send(nth);
  await read(20);
  await read(13);
  expect(seen.toSorted((a, b) => a - b)).toEqual(all);
  const inPieces = seen;
  [seen, last] = [[], "0"];
  await read(all.length);
  expect(inPieces).toEqual(seen);
});
