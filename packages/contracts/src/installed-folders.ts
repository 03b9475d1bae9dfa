/** Names of folders that are refused in any commit, wherever they lie, in any case. */
const INSTALLED_FOLDERS: ReadonlySet<string> = new Set([
  // JavaScript; npm puts node_modules/.bin before every other program
  "node_modules",
  "bower_components",
  "jspm_packages",
  ".pnpm-store",
  // Python; a compiled module with an unchecked hash is run in place of its source
  ".venv",
  "venv",
  "site-packages",
  "__pypackages__",
  "__pycache__",
  ".tox",
  ".nox",
  ".eggs",
  // Remembered results, which these runners replay in place of a run
  ".turbo",
  ".wireit",
]);

/** The first folder or file on the path that only a package manager or a runner writes; null when there is none. */
export function findInstalledFolder(path: string): string | null {
  return path.split("/").find((name) => INSTALLED_FOLDERS.has(name.toLowerCase())) ?? null;
}

/** The same rule as git pathspecs that leave these folders out. */
export const WITHOUT_INSTALLED_FOLDERS: readonly string[] = [...INSTALLED_FOLDERS].flatMap((name) => [
  `:(exclude,icase,glob)**/${name}`,
  `:(exclude,icase,glob)**/${name}/**`,
]);
