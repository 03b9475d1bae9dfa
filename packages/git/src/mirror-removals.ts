import { packDaily } from "./pack-daily.ts";

/** Packs a service's own mirrors, and removes what no branch of the origin holds; see `packDaily`. */
export function mirrorRemovals(dirs: readonly string[]) {
  const remove = async (signal: AbortSignal): Promise<number> => {
    for (const dir of dirs) await packDaily(dir, signal);
    return 0;
  };
  return dirs.length === 0 ? [] : [{ name: "objects of the mirror", remove }];
}
