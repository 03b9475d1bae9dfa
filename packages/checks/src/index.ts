export {
  openDependencyCache,
  requireMounts,
  type Dependencies,
  type DependencyCache,
} from "./dependency-cache.ts";
export {
  DEPENDENCY_FIELDS,
  oldEntries,
  packageOf,
  parseLock,
  parseManifest,
  type Lock,
  type Manifest,
} from "./install/dependency-files.ts";
export { openPackageFacts, type PackageFacts, type PackageFactsReader } from "./install/package-facts.ts";
export { registrySpec } from "./install/refuse-sources.ts";
export { failuresOf } from "./failures.ts";
export { findChecks, hashOf, type FoundChecks } from "./find-checks.ts";
export { runChecks, type CheckRun } from "./run-checks.ts";
