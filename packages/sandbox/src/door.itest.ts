import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openDoor } from "./door.ts";
import { startProcess } from "./local/start-process.ts";

/** Requests an endless response over its own stdin and stdout, and reads it. */
const CLIENT = `
  const http2 = require("node:http2"), { Duplex } = require("node:stream");
  const wire = Duplex.from({ readable: process.stdin, writable: process.stdout });
  const session = http2.connect("http://door", { createConnection: () => wire });
  session.on("error", () => {});
  const stream = session.request({ ":path": "/endless" });
  stream.on("error", () => {});
  stream.on("data", () => {});`;

test("a guest that dies during a response closes the door and throws nothing in this process", async () => {
  const failures: unknown[] = [];
  const record = (error: unknown) => failures.push(error);
  process.on("uncaughtException", record);
  const one = async (nth: number) => {
    const child = startProcess({
      argv: [process.execPath, "-e", CLIENT],
      cwd: "/",
      env: {},
      cgroups: [],
    });
    const requested = Promise.withResolvers<void>();
    const door = openDoor(child, (stream) => {
      stream.respond({ ":status": 200 });
      const write = () => {
        if (stream.destroyed) return;
        stream.write("x".repeat(10_000));
        setImmediate(write);
      };
      write();
      requested.resolve();
    });
    await requested.promise;
    await sleep(nth % 10);
    child.kill();
    await door.closed;
    await child.exit;
    door.close();
  };
  for (let round = 0; round < 5; round += 1)
    await Promise.all(Array.from({ length: 8 }, (_, nth) => one(nth)));
  process.off("uncaughtException", record);
  expect(failures).toEqual([]);
});
