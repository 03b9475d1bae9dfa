import type { FeatureQuery } from "@agentswarm/contracts";
import { pageOfFeatures } from "./read-indexes.ts";
import type { ViewStore } from "./view-store.ts";
import type { FeatureView } from "./views.ts";

/** Features that one request searches for words; the cursor leads on, so a page may be short or empty. */
const SEARCHED = 1_000;
const PAGE = 200;

/** One page of the features that a query asks for, newest first. The cost does not depend on how many there are. */
export async function listFeatures(
  views: ViewStore,
  { status, q, limit, cursor }: FeatureQuery,
): Promise<{ found: FeatureView[]; cursor: string | null }> {
  const index = status ?? "all";
  if (q === undefined) {
    const page = await pageOfFeatures(views, index, cursor, limit);
    return { found: await views.readMany("features", page.ids), cursor: page.cursor };
  }
  const words = q.toLowerCase();
  const found: FeatureView[] = [];
  let next: string | null | undefined = cursor;
  for (let searched = 0; searched < SEARCHED && next !== null; searched += PAGE) {
    const page = await pageOfFeatures(views, index, next, PAGE);
    for (const feature of await views.readMany("features", page.ids)) {
      if (!`${feature.title} ${feature.description}`.toLowerCase().includes(words)) continue;
      found.push(feature);
      if (found.length === limit) {
        const isLast = page.cursor === null && page.ids.at(-1) === feature.id;
        return { found, cursor: isLast ? null : page.cursorOf(feature.id) };
      }
    }
    next = page.cursor;
  }
  return { found, cursor: next ?? null };
}
