import picomatch from "picomatch";

/** Paths that no glob of the scope matches. An empty scope allows all paths. */
export function outsideScope(files: readonly string[], scope: readonly string[]): string[] {
  if (scope.length === 0) return [];
  const matches = scope.map((glob) => picomatch(glob.endsWith("/") ? `${glob}**` : glob, { dot: true }));
  return files.filter((file) => !matches.some((match) => match(file)));
}
