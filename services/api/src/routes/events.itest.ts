import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { startApi, type TestApi } from "../../testing/start-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** A reader on a raw socket, which reads nothing until it is resumed. */
async function openReader(lastEventId: string): Promise<{ socket: Socket; ids(): string[]; text(): string }> {
  const { hostname, port } = new URL(api.url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, "connect");
  socket.pause();
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.pause();
  socket.on("error", () => undefined);
  const lines = ["GET /v1/events HTTP/1.1", `Host: ${hostname}:${port}`, `Last-Event-ID: ${lastEventId}`];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return {
    socket,
    ids: () => [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id ?? ""),
    text: () => text,
  };
}

const polls = async () => {
  const stats = await api.connection.redis.info("commandstats");
  return Number(/cmdstat_xrange:calls=(\d+)/.exec(stats)?.[1] ?? 0);
};

/** Resolves with the count of polls when it has stood still for a while. */
async function pollsAtRest(): Promise<number> {
  let last = -1;
  let same = 0;
  return waitUntil("the end of the polls", 30_000, async () => {
    const now = await polls();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 6 ? now : null;
  });
}

test("a reader that does not read delays no other, and gets every event once it reads (fault 40)", async () => {
  const data = { check: "x", tree: "a".repeat(40), outputTail: "x".repeat(2_000) };
  const stream = api.connection.key("events");
  const writes = api.connection.redis.pipeline();
  const all = 16_000;
  for (let nth = 0; nth < all; nth += 1) {
    const event = { id: `bulk-${nth}`, at: 1, type: "gate.flaked", repoId: "main", actor: "test", data };
    writes.xadd(stream, "*", "event", JSON.stringify(event));
  }
  await writes.exec();
  const before = await polls();
  const slow = await openReader("0");
  // The api keeps its place in the log, not the unread events: pages of 200, of which few fit into the sockets.
  expect((await pollsAtRest()) - before).toBeLessThan(all / 200 - 20);
  const fast = await openReader("0");
  fast.socket.resume();
  await waitUntil("the fast reader's last event", 30_000, () => (fast.ids().length >= all ? true : null));
  expect(slow.ids()).toEqual([]);
  slow.socket.resume();
  await waitUntil("the slow reader's last event", 30_000, () => (slow.ids().length >= all ? true : null));
  expect(slow.ids()).toEqual(fast.ids());
  expect(new Set(slow.ids()).size).toBe(all);
  slow.socket.destroy();
  fast.socket.destroy();
});

test("no Redis command is sent for a reader that has disconnected", async () => {
  const readers = await Promise.all(Array.from({ length: 20 }, () => openReader("$")));
  for (const { socket } of readers) socket.resume();
  await waitUntil("all streams to open", 20_000, () =>
    readers.every((reader) => reader.text().includes(": listening")) ? true : null,
  );
  const before = await polls();
  await waitUntil("their polls", 20_000, async () => ((await polls()) > before + 20 ? true : null));
  for (const { socket } of readers) socket.destroy();
  await pollsAtRest();
});

test("an invalid Last-Event-ID starts at now, an invalid cursor is refused", async () => {
  const reader = await openReader("'; DROP TABLE events; --");
  reader.socket.resume();
  await waitUntil("the stream", 10_000, () => (reader.text().includes(": listening") ? true : null));
  expect(reader.text()).toContain("HTTP/1.1 200");
  expect(reader.text().toLowerCase()).toContain("x-content-type-options: nosniff");
  reader.socket.destroy();
  expect((await api.ask("/v1/events?after=yesterday")).status).toBe(400);
});

test("a stop ends all streams without waiting for readers that do not read", async () => {
  await using other = await startApi();
  const { hostname, port } = new URL(other.url);
  const stuck = connect({ host: hostname, port: Number(port) });
  await once(stuck, "connect");
  stuck.on("error", () => undefined);
  stuck.write(`GET /v1/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  const [first] = (await once(stuck, "data")) as [Buffer];
  expect(first.toString()).toContain("200 OK");
  stuck.pause();
  expect(await other.service.stop()).toBe(0);
  stuck.destroy();
});
