import type { Readable } from "node:stream";
import type { RunResult, SandboxProcess } from "./sandbox.ts";
import { openTail } from "./streams/tail.ts";

const TAIL_CHARS = 8_000;

/** Waits for a process and keeps the end of its output; memory does not grow with the output. */
export async function runToEnd(child: SandboxProcess): Promise<RunResult> {
  const startedAt = performance.now();
  const tail = openTail(TAIL_CHARS);
  const keep = (stream: Readable) => {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => tail.add(text));
  };
  keep(child.stdout);
  keep(child.stderr);
  child.stdin.end();
  const { code, timedOut } = await child.exit;
  const note = tail.dropped() > 0 ? `[… ${tail.dropped()} characters before this were dropped]\n` : "";
  return {
    exitCode: timedOut ? -1 : (code ?? -1),
    timedOut,
    outputTail: note + tail.text(),
    durationMs: Math.round(performance.now() - startedAt),
  };
}
