import type { Role } from "@agentswarm/contracts";
import { serves, type Backend } from "../backends/backend.ts";

/** A backend as it stands at this moment. */
export interface Standing {
  readonly backend: Backend;
  /** How many more calls it may be given. */
  readonly free: number;
  /** The share of its limit in use. */
  readonly load: number;
  /** It asked for a pause until then, milliseconds since 1970. */
  readonly notBefore: number;
  readonly health: { kind: "well" } | { kind: "down"; probeAt: number } | { kind: "probing" };
}

export interface Wish {
  readonly role: Role;
  /** About how long the question is. */
  readonly tokens: number;
  /** Names of backends that this call should not go to again for now. */
  readonly tried: ReadonlySet<string>;
}

export type Choice =
  | { kind: "go"; name: string }
  /**
   * None can be asked now. `until`: when the next one may be (null: not by time alone). `busy`: one is well but full,
   * or about to be known as well.
   */
  | { kind: "wait"; until: number | null; busy: boolean };

/** Which backend a call goes to: the first by priority that can take it, of equal ones the one with most room. */
export function chooseBackend(standings: readonly Standing[], wish: Wish, now: number): Choice {
  const serving = standings.filter(({ backend }) => serves(backend, wish.role));
  // Where it is too long for all, the first says so, and the agent shortens it.
  const fitting = serving.filter(({ backend }) => wish.tokens <= backend.contextTokens);
  const candidates = (fitting.length > 0 ? fitting : serving).filter(
    ({ backend }) => !wish.tried.has(backend.name),
  );
  const [best] = candidates
    .filter(({ health, notBefore, free }) => health.kind === "well" && notBefore <= now && free > 0)
    .toSorted((a, b) => a.backend.priority - b.backend.priority || a.load - b.load);
  if (best !== undefined) return { kind: "go", name: best.backend.name };
  const times = candidates.flatMap(({ health, notBefore }) => {
    if (health.kind === "down") return [Math.max(health.probeAt, notBefore)];
    return notBefore > now ? [notBefore] : [];
  });
  const busy = candidates.some(({ health, notBefore }) => health.kind !== "down" && notBefore <= now);
  return { kind: "wait", until: times.length === 0 ? null : Math.min(...times), busy };
}
