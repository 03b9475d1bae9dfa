import { personActionSchema } from "../person.ts";
import { eventSchema } from "./about.ts";

/**
 * Sent by the planner with the step that a person's action made; not for an action that changed nothing. Answers, notes and
 * pauses have events of their own.
 */
export const personActed = eventSchema("person.acted", "feature", personActionSchema);
