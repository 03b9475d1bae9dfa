export { openDependencyCache, type DependencyCache } from "./dependency-cache.ts";
export { failuresOf } from "./failures.ts";
export { findChecks, hashOf, type FoundChecks } from "./find-checks.ts";
export { runChecks, type CheckRun } from "./run-checks.ts";
