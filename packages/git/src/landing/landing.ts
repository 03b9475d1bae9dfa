import type { ConflictPath } from "@agentswarm/contracts";
import type { Trailers } from "./landing-message.ts";

/** One attempt to be landed. Its objects are in the repository. */
export interface LandingRequest {
  /** Where the attempt began, and its last commit. */
  readonly base: string;
  readonly head: string;
  readonly title: string;
  readonly trailers: Trailers;
}

export type BuiltLanding =
  | { kind: "built"; commit: string; tree: string }
  /** Only the paths in conflict. */
  | { kind: "conflict"; paths: ConflictPath[] }
  /** The trunk has all of it already. */
  | { kind: "empty" }
  /** Git does not take the objects that would be made of it. */
  | { kind: "refused"; why: string };
