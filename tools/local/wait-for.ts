import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@agentswarm/contracts";

const POLL_MS = 50;

/** Polls `ready` until it returns true. Throws a Fault that names `what` after `deadlineMs`. */
export async function waitFor(
  what: string,
  deadlineMs: number,
  ready: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await ready())) {
    if (Date.now() > deadline) throw new Fault("internal", `${what} was not ready after ${deadlineMs} ms`);
    await sleep(POLL_MS);
  }
}

/** Whether the Redis server at a local port answers PING, which it does not while it loads its data. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.on("connect", () => socket.write("PING\r\n"));
    socket.on("data", (data) => end(data.toString().startsWith("+PONG")));
    socket.on("error", () => end(false));
  });
}
