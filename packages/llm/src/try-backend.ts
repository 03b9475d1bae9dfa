import type { Backend } from "./backends/backend.ts";
import { askOnce, type BackendReply, type Timeouts } from "./wire/ask-once.ts";
import { describeRefusal } from "./wire/describe-refusal.ts";
import { maskKeys, type KeyMask } from "./wire/mask-keys.ts";

/** How long such a call may take; a cold endpoint takes longer. */
const TRIAL_MS = 30_000;

/** The smallest call there is: only a call shows whether the key, the account, the model and the address are right. */
export function askForOneToken(
  backend: Backend,
  { timeouts, mask }: { readonly timeouts: Timeouts; readonly mask: KeyMask },
): Promise<BackendReply> {
  const body = { messages: [{ role: "user", content: "Hi" }], max_tokens: 1 };
  const wholeMs = Math.min(timeouts.wholeMs, TRIAL_MS);
  const { signal } = new AbortController();
  return askOnce(backend, body, { streamed: false, timeouts: { ...timeouts, wholeMs }, signal, mask });
}

/** Asks a backend for one token. Returns why it refuses, with the setting that corrects it, or null. */
export async function tryBackend(backend: Backend): Promise<string | null> {
  const timeouts = {
    connectMs: 10_000,
    firstMs: TRIAL_MS,
    betweenMs: TRIAL_MS,
    wholeMs: TRIAL_MS,
    coldMs: TRIAL_MS,
  };
  const reply = await askForOneToken(backend, { timeouts, mask: maskKeys([backend.apiKey]) });
  return reply.kind === "refused" ? describeRefusal(reply, backend) : null;
}
