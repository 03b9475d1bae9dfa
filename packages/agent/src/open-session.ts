import { openCommandSession } from "./command/command-session.ts";
import { openPiSession } from "./pi-session.ts";
import type { Session, SessionOptions } from "./runtime.ts";

/** Opens a session with the runtime that the assignment names. */
export function openSession(options: SessionOptions): Session {
  const { runtime } = options.assignment;
  if (runtime?.kind === "command") return openCommandSession(runtime.template, options);
  return openPiSession(options);
}
