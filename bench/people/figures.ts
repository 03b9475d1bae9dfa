import { measureAnswers } from "./answers-won.ts";
import type { Measure } from "./measure.ts";
import { measureReverts } from "./reverts.ts";
import { measureParking } from "./parked-slots.ts";
import { measureNotes } from "./notes.ts";

/** What is measured, in this order; each gives one figure or more. */
export const MEASURES: Readonly<Record<string, Measure>> = {
  answers: measureAnswers,
  parking: measureParking,
  reverts: measureReverts,
  notes: measureNotes,
};
