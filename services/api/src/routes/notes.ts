import { randomUUID } from "node:crypto";
import { REST, type Note, type NoteMode, type Route } from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import { refuseOthers, type Person } from "../auth/person.ts";
import type { ApiContext } from "../context.ts";
import { notFound, Problem } from "../problem.ts";
import { serveRoute } from "../serve-route.ts";

/** States in which no agent will work any more. */
const OVER: ReadonlySet<string> = new Set(["done", "landed", "cancelled"]);

export function noteRoutes(app: App, { model, sender, connection }: ApiContext): void {
  const findFeature = async (id: string) => (await model.findFeature(id)) ?? notFound("feature", id);
  const findTask = async (id: string) => (await model.task(id)) ?? notFound("task", id);

  /** Gives a note to the planner. Returns its id. */
  const say = async (
    route: Route,
    person: Person,
    to: { readonly featureId: string; readonly taskId: string | null },
    said: { readonly text: string; readonly mode: NoteMode },
  ): Promise<string> => {
    const feature = await findFeature(to.featureId);
    refuseOthers(route, person, feature);
    refuseOver("feature", feature.status);
    const { by, via } = person;
    const note: Note = {
      id: `note-${randomUUID()}`,
      by,
      via,
      at: await connection.now(),
      ...said,
      answers: null,
    };
    await sender.send("plan", { kind: "note", ...to, note });
    return note.id;
  };

  serveRoute(app, REST.sayToFeature, async ({ params: { id }, body, person }) => {
    const noteId = await say(REST.sayToFeature, person, { featureId: id, taskId: null }, body);
    return { id: noteId, url: `/v1/features/${id}/notes` };
  });

  serveRoute(app, REST.sayToTask, async ({ params: { id }, body, person }) => {
    const { featureId, status, supersededBy } = await findTask(id);
    // The planner gives it to the task that took the place of this one.
    if (supersededBy === null) refuseOver("task", status);
    const noteId = await say(REST.sayToTask, person, { featureId, taskId: id }, body);
    return { id: noteId, url: `/v1/tasks/${id}/notes` };
  });

  serveRoute(app, REST.featureNotes, async ({ params: { id } }) => {
    await findFeature(id);
    return { notes: await model.notes({ featureId: id }) };
  });

  serveRoute(app, REST.taskNotes, async ({ params: { id } }) => {
    const { featureId } = await findTask(id);
    return { notes: await model.notes({ featureId, taskId: id }) };
  });
}

function refuseOver(what: "feature" | "task", status: string): void {
  if (!OVER.has(status)) return;
  throw new Problem(409, "wrong-state", `the ${what} is ${status}: no agent works on it any more`);
}
