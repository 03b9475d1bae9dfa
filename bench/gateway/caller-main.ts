// Simulates agents in a sandbox: sends requests through its own stdin and stdout and directly to the server, in turn.
import { once } from "node:events";
import * as http2 from "node:http2";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { callDirectly, callThroughDoor, type Call } from "./call.ts";

export interface Assignment {
  readonly url: string;
  /** One agent each. */
  readonly keys: readonly string[];
  readonly body: string;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** The duration of one stream; the starts of agents are spread over it. */
  readonly streamMs: number;
}

export interface Figures {
  readonly direct: number[];
  readonly door: number[];
}

const [assignment] = (await once(process, "message")) as [Assignment];
const session = http2.connect("http://door", {
  createConnection: () => Duplex.from({ readable: process.stdin, writable: process.stdout }),
});
const directly = callDirectly(assignment.url);
const figures: Figures = { direct: [], door: [] };
const from = performance.now() + assignment.warmUpMs;
const until = from + assignment.measureMs;

async function work(key: string): Promise<void> {
  const through = callThroughDoor(session, key);
  const turns: [Call, number[]][] = [
    [directly, figures.direct],
    [through, figures.door],
  ];
  // Half of them start with the other kind, so that both kinds run at any time.
  if (Math.random() < 0.5) turns.reverse();
  await sleep(Math.random() * assignment.streamMs);
  while (performance.now() < until) {
    for (const [call, into] of turns) {
      const startedAt = performance.now();
      const firstMs = await call(assignment.body);
      if (startedAt >= from && startedAt < until) into.push(firstMs);
    }
  }
}

await Promise.all(assignment.keys.map(work));
process.send?.(figures, () => process.exit(0));
