import type { Readable } from "node:stream";
import type { RunResult, SandboxProcess } from "./sandbox.ts";

const TAIL_CHARS = 8_000;

/** Waits for a process and keeps the end of what it printed; the rest is let go, however much it is. */
export async function runToEnd(child: SandboxProcess): Promise<RunResult> {
  const startedAt = performance.now();
  let tail = "";
  let dropped = 0;
  const keep = (stream: Readable) => {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const all = tail + text;
      tail = all.slice(-TAIL_CHARS);
      dropped += all.length - tail.length;
    });
  };
  keep(child.stdout);
  keep(child.stderr);
  child.stdin.end();
  const { code, timedOut } = await child.exit;
  const note = dropped > 0 ? `[… ${dropped} characters before this were dropped]\n` : "";
  return {
    exitCode: timedOut ? -1 : (code ?? -1),
    timedOut,
    outputTail: note + tail,
    durationMs: Math.round(performance.now() - startedAt),
  };
}
