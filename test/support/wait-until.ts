import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the answer is not null; fails naming `what`, with the last `hint`, after `deadlineMs`. */
export async function waitUntil<T>(
  what: string,
  deadlineMs: number,
  ask: () => Promise<T | null> | T | null,
  hint: () => string = () => "",
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${deadlineMs} ms. ${hint()}`);
    await sleep(100);
  }
}
