import type { Http2Session } from "node:http2";

const PING_MS = 10_000;
const ANSWER_TIMEOUT_MS = 20_000;

/** Ends a session whose other end no longer answers pings, because a machine that is gone closes no connection. */
export function keepAlive(session: Http2Session): void {
  let answeredAt = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - answeredAt > PING_MS + ANSWER_TIMEOUT_MS) return session.destroy();
    try {
      session.ping(() => (answeredAt = performance.now()));
    } catch {
      // The session is being closed.
    }
  }, PING_MS);
  timer.unref();
  session.once("close", () => clearInterval(timer));
}
