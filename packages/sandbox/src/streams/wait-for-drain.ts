import { once } from "node:events";
import type { Writable } from "node:stream";

/** Resolves when a full stream takes more again, or when it is closed. */
export async function waitForDrain(stream: Writable): Promise<void> {
  if (stream.destroyed) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(stream, "drain", { signal }), once(stream, "close", { signal })]).catch(
    () => undefined,
  );
  waiting.abort();
}
