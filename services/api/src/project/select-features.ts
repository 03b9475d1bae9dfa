import type { FeatureQuery } from "@agentswarm/contracts";
import type { FeatureView } from "./views.ts";

/** One page of the features that a query asks for, newest first. */
export function selectFeatures(
  all: readonly FeatureView[],
  { status, q, limit, cursor }: FeatureQuery,
): { selected: FeatureView[]; cursor: string | null } {
  const words = q?.toLowerCase();
  const matching = all.filter(
    (feature) =>
      (status === undefined || feature.status === status) &&
      (words === undefined || `${feature.title} ${feature.description}`.toLowerCase().includes(words)) &&
      (cursor === undefined || cursorOf(feature) < cursor),
  );
  const ordered = matching.toSorted((a, b) => cursorOf(b).localeCompare(cursorOf(a)));
  const selected = ordered.slice(0, limit);
  const last = selected.at(-1);
  return { selected, cursor: ordered.length > limit && last ? cursorOf(last) : null };
}

/** Sorts by the time of submission, then by id. */
function cursorOf({ createdAt, id }: FeatureView): string {
  return `${String(createdAt).padStart(15, "0")}-${id}`;
}
