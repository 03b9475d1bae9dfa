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

/** Whether the Redis server at a local port answers PING, as its user for health checks, which it does not while it loads its data. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.on("connect", () => socket.write("AUTH health any\r\nPING\r\n"));
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString();
      if (answer.split("\r\n").length > 2) end(answer.includes("+PONG"));
    });
    socket.on("error", () => end(false));
  });
}
