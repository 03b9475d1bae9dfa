import type { RefusedReply } from "../wire/ask-once.ts";

/** A refusal that a person must end, such as that of a key. It stands until a probe is not refused so any more. */
export interface StandingRefusal {
  /** The refusal, and when the next probe is due (milliseconds since 1970); null while none stands. */
  now(): { readonly reply: RefusedReply; readonly probeAt: number } | null;
  begin(reply: RefusedReply): void;
  /**
   * Probes when a probe is due or under way, and resolves at its end with true; false when none was due. `check`
   * resolves with the refusal that still stands, or null.
   */
  probe(check: () => Promise<RefusedReply | null>): Promise<boolean>;
}

/** Delays between probes: they cost a token each, and a person who corrects something waits for the next. */
const LONGEST_DELAY_MS = 30_000;

export function openStandingRefusal(
  firstDelayMs: number,
  onChange: (reply: RefusedReply | null) => void,
): StandingRefusal {
  let standing: { reply: RefusedReply; probeAt: number; delayMs: number } | null = null;
  let probing: Promise<boolean> | null = null;
  const stand = (reply: RefusedReply, delayMs: number) => {
    standing = { reply, delayMs, probeAt: performance.now() + delayMs };
  };
  return {
    now: () => standing,
    begin(reply) {
      // A call that began before the refusal changes nothing.
      if (standing !== null) return;
      stand(reply, firstDelayMs);
      onChange(reply);
    },
    async probe(check) {
      if (probing !== null) return probing;
      if (standing === null || performance.now() < standing.probeAt) return false;
      const { delayMs, reply } = standing;
      const run = async () => {
        const still = await check().catch(() => reply);
        if (still !== null) stand(still, Math.min(delayMs * 2, LONGEST_DELAY_MS));
        else {
          standing = null;
          onChange(null);
        }
        probing = null;
        return true;
      };
      return (probing = run());
    },
  };
}
