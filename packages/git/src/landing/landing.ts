import type { ConflictPath } from "@agentswarm/contracts";
import type { Trailers } from "./landing-message.ts";

/** One attempt to be landed. Its objects are in the repository. */
export interface LandingRequest {
  /** The commit that the attempt started from. */
  readonly base: string;
  /** The last commit of the attempt. */
  readonly head: string;
  readonly title: string;
  readonly trailers: Trailers;
  /** Questions of the agent that nobody answered in time, each with its default. */
  readonly byDefault?: readonly string[];
}

export type BuiltLanding =
  | { kind: "built"; commit: string; tree: string }
  /** `paths`: only the paths in conflict. */
  | { kind: "conflict"; paths: ConflictPath[] }
  /** The trunk contains all changes of the attempt already. */
  | { kind: "empty" }
  /** Git refuses the attempt's objects, or those built from them. */
  | { kind: "refused"; why: string };
