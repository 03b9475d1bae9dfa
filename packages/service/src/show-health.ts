import { rmSync, utimesSync, writeFileSync } from "node:fs";

const EVERY_MS = 5_000;

/**
 * Touches a file every 5 s while this process runs its event loop, so that a health check needs no Node process of its
 * own: a service is healthy when the file exists and is younger than 15 s. Disposing removes the file.
 */
export function showHealth(file: string): Disposable {
  writeFileSync(file, "");
  const timer = setInterval(() => utimesSync(file, new Date(), new Date()), EVERY_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      rmSync(file, { force: true });
    },
  };
}
