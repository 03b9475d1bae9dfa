/** Event types that were renamed in version 2. */
const RENAMED: Readonly<Record<string, string>> = { "message.buried": "message.dead-lettered" };

/** An event of version 1, from a queue, the event log or the archive, in the words of this version. */
export function liftEvent(event: unknown): unknown {
  if (typeof event !== "object" || event === null || !("type" in event)) return event;
  const type = typeof event.type === "string" ? RENAMED[event.type] : undefined;
  return type === undefined ? event : { ...event, type };
}
