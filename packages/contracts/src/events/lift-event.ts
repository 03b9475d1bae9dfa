import { liftCounts } from "../feature.ts";

/** Event types that were renamed in version 2. */
const RENAMED: Readonly<Record<string, string>> = { "message.buried": "message.dead-lettered" };

/** An event of version 1, from a queue, the event log or the archive, in the words of this version. */
export function liftEvent(event: unknown): unknown {
  if (!isRecord(event) || typeof event["type"] !== "string") return event;
  const { data } = event;
  if (event["type"] === "feature.changed" && isRecord(data)) {
    return { ...event, data: { ...data, counts: liftCounts(data["counts"]) } };
  }
  return { ...event, type: RENAMED[event["type"]] ?? event["type"] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
