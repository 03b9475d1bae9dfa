import { setTimeout as sleep } from "node:timers/promises";
import { DOOR, type Note } from "@agentswarm/contracts";
import type { DoorClient } from "./door-client.ts";

const RETRY_MS = 1_000;

/**
 * Passes on what people say, each note once, until it is stopped. Best effort: a request that fails must not stop the
 * work, and the notes that it would have brought are a part of the task's next round.
 */
export function followInbox(door: Pick<DoorClient, "poll">, onNote: (note: Note) => void): Disposable {
  const known = new Set<string>();
  let [stopped, after] = [false, 0];
  const follow = async () => {
    while (!stopped) {
      const answer = await door.poll(DOOR.inbox, { after }).catch(() => sleep(RETRY_MS, "failed" as const));
      if (stopped) return;
      if (answer === null || answer === "failed") continue;
      const inbox = DOOR.inbox.answer.parse(answer);
      after = inbox.upTo;
      for (const note of inbox.notes) {
        if (known.has(note.id)) continue;
        known.add(note.id);
        onNote(note);
      }
    }
  };
  void follow().catch(() => undefined);
  return { [Symbol.dispose]: () => void (stopped = true) };
}
