import type { Role } from "@agentswarm/contracts";
import { serves, type Backend } from "../backends/backend.ts";

/** The state of a backend at one moment. */
export interface BackendSnapshot {
  readonly backend: Backend;
  /** The number of calls that may still begin. */
  readonly free: number;
  /** The share of its limit in use. */
  readonly load: number;
  /** The end of the pause that its Retry-After asked for, milliseconds since 1970. */
  readonly notBefore: number;
  readonly health:
    | { kind: "healthy" }
    | { kind: "down"; probeAt: number }
    | { kind: "probing" }
    /** It refuses all calls until a person corrects a setting; calls do not wait for that. */
    | { kind: "refusing" };
}

/** The facts of a call that decide which backends can take it. */
export interface CallNeeds {
  readonly role: Role;
  /** The estimated length of the prompt. */
  readonly tokens: number;
  /** Names of backends that have failed in this round of tries. */
  readonly tried: ReadonlySet<string>;
}

export type BackendChoice =
  | { kind: "go"; name: string }
  /**
   * No backend can take the call now. `until`: when the next one may (null: not by time alone). `busy`: one is healthy
   * but full, or is being probed.
   */
  | { kind: "wait"; until: number | null; busy: boolean }
  /** All backends that could take the call refuse until a person corrects a setting. */
  | { kind: "refused" };

/** Chooses the backend for a call: the lowest priority number that can take it; of equal ones the least loaded. */
export function chooseBackend(
  snapshots: readonly BackendSnapshot[],
  needs: CallNeeds,
  now: number,
): BackendChoice {
  const serving = snapshots.filter(({ backend }) => serves(backend, needs.role));
  // A prompt that is too long for all goes to the first: its refusal makes the agent shorten the prompt.
  const fitting = serving.filter(({ backend }) => needs.tokens <= backend.contextTokens);
  const candidates = (fitting.length > 0 ? fitting : serving).filter(
    ({ backend }) => !needs.tried.has(backend.name),
  );
  const [best] = candidates
    .filter(({ health, notBefore, free }) => health.kind === "healthy" && notBefore <= now && free > 0)
    .toSorted((a, b) => a.backend.priority - b.backend.priority || a.load - b.load);
  if (best !== undefined) return { kind: "go", name: best.backend.name };
  if (candidates.length > 0 && candidates.every(({ health }) => health.kind === "refusing"))
    return { kind: "refused" };
  const times = candidates.flatMap(({ health, notBefore }) => {
    if (health.kind === "down") return [Math.max(health.probeAt, notBefore)];
    return notBefore > now ? [notBefore] : [];
  });
  const busy = candidates.some(({ health, notBefore }) => isUp(health) && notBefore <= now);
  return { kind: "wait", until: times.length === 0 ? null : Math.min(...times), busy };
}

function isUp({ kind }: BackendSnapshot["health"]): boolean {
  return kind === "healthy" || kind === "probing";
}
