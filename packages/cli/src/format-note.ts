import type { NoteDetail } from "@agentswarm/contracts";

/** A note on one line, and on a second one who heard it. */
export function formatNote({ at, by, text, taskId, refused, heard }: NoteDetail): string {
  const when = new Date(at).toISOString().slice(0, 19).replace("T", " ");
  const to = taskId === null ? "to the feature" : `to ${taskId}`;
  const hearings = heard.map((one) => `${one.taskId} attempt ${one.attempt}, turn ${one.turn}`).join("; ");
  const how =
    refused === null ? (hearings === "" ? "not heard yet" : `heard by ${hearings}`) : `refused: ${refused}`;
  return `${when}  ${by} ${to}: ${text}\n  ${how}`;
}
