import { removeOldFiles } from "./remove-old-files.ts";
import type { Removal } from "./remove-old.ts";

const DAY_MS = 24 * 3_600_000;

/** Removes what a service made of the target for its sandboxes, and can make again. */
export function cacheRemovals(
  { BUNDLE_DAYS, DEPENDENCY_DAYS }: { readonly BUNDLE_DAYS: number; readonly DEPENDENCY_DAYS: number },
  bundlesDir: string,
  dependencies: { removeUnused(before: number): Promise<number> },
): Removal[] {
  return [
    { name: "bundles", remove: () => removeOldFiles(bundlesDir, Date.now() - BUNDLE_DAYS * DAY_MS) },
    {
      name: "dependencies",
      remove: () => dependencies.removeUnused(Date.now() - DEPENDENCY_DAYS * DAY_MS),
    },
  ];
}
