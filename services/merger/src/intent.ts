import type { Workshop } from "./workshop.ts";

const TITLES = 10;

/** The titles of the newest landings since `base` that touched some of `paths`. */
export async function intentOf(
  { mirror, engine }: Workshop,
  base: string,
  tip: string,
  paths: readonly string[],
): Promise<string> {
  const wanted = new Set(paths);
  const titles: string[] = [];
  for (const landing of await mirror.landings(tip, base)) {
    const changed = await engine.changesOf(landing.commit);
    if (changed.some((one) => wanted.has(one.path))) titles.push(`- ${landing.title}`);
    if (titles.length === TITLES) break;
  }
  return titles.join("\n");
}
