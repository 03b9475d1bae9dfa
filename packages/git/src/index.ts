export { bundleFor, makeBundle, type Bundles } from "./bundle.ts";
export { countLines } from "./count-lines.ts";
export { countChanges, COUNTED, type ChangeCounts } from "./count-changes.ts";
export { diffSafely } from "./diff-safely.ts";
export { readDiff, type AttemptDiff } from "./read-diff.ts";
export { type Trailers } from "./landing/landing-message.ts";
export { type Inspection } from "./inspect-commits.ts";
export type { Landing } from "./landing-log.ts";
export { openLandingEngine, type LandingEngine } from "./landing/engine.ts";
export { type Addition } from "./landing/read-additions.ts";
export { type BuiltLanding, type LandingRequest } from "./landing/landing.ts";
export { MERGE_STRATEGIES, type MergeStrategy } from "./landing/strategies.ts";
export { mirrorRemovals } from "./mirror-removals.ts";
export { makeRevert, type MadeRevert } from "./make-revert.ts";
export { type Mirror } from "./mirror.ts";
export { maskCredential, originAddress } from "./origin-address.ts";
export { outsideScope } from "./outside-scope.ts";
export { beginEmptyOrigin, makeFirstCommit } from "./first-commit.ts";
export { openOrigin } from "./open-origin.ts";
export { type PublishRight, type RefMove } from "./publish-right.ts";
export { packDaily } from "./pack-daily.ts";
export { packRefs } from "./pack-refs.ts";
export { pruneObjects } from "./prune-objects.ts";
export { fetchQuarantined, removeQuarantines } from "./fetch-quarantined.ts";
export { isRefusedContent } from "./is-refused-content.ts";
export { repack } from "./repack.ts";
export { runGit } from "./run-git.ts";
export { safeGit } from "./safe-git.ts";
export { refuseUnlessSample, SAMPLE_REF } from "./sample.ts";
export {
  landingSettings,
  originReaderSettings,
  originWriterSettings,
  targetSettings,
  type OriginSettings,
} from "./settings.ts";
export { fetchAttempts, openStore, type Store } from "./store.ts";
