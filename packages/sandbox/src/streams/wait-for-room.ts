import { once } from "node:events";
import type { Writable } from "node:stream";

/** Resolves when a stream that was full takes more again, or never will because it is closed. */
export async function waitForRoom(stream: Writable): Promise<void> {
  if (stream.destroyed) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(stream, "drain", { signal }), once(stream, "close", { signal })]).catch(
    () => undefined,
  );
  waiting.abort();
}
