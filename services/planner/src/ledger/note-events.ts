import type { EventToSend, Note } from "@agentswarm/contracts";

/** The events of notes that a step added. */
export function noteEvents(
  before: readonly Note[] | undefined,
  after: readonly Note[],
  about: { readonly repoId: string; readonly featureId: string },
  taskId: string | null,
): EventToSend[] {
  const { repoId, featureId } = about;
  return newNotes(before, after).map((note) => ({
    id: `note-said-${note.id}`,
    type: "note.said",
    repoId,
    featureId,
    data: { note, taskId },
  }));
}

/** The notes that a step added. */
export function newNotes(before: readonly Note[] | undefined, after: readonly Note[]): readonly Note[] {
  return after.slice(before?.length ?? 0);
}
