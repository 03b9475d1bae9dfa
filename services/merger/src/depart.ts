import { findChecks } from "@agentswarm/checks";
import {
  failpoint,
  Fault,
  type MergeOutcome,
  type MergeRequest,
  type TargetSettings,
} from "@agentswarm/contracts";
import { fetchAttempts, type BuiltLanding } from "@agentswarm/git";
import { noteConflicts } from "./conflicts.ts";
import { decideHold } from "./decide.ts";
import { intentOf } from "./intent.ts";
import type { Passenger } from "./passengers.ts";
import { readProtectionFacts } from "./protection.ts";
import type { Seat, Train } from "./train.ts";
import type { Workshop } from "./workshop.ts";

/**
 * Makes a train upon `base`: what has landed already, is missing, has to be held or conflicts gets its outcome, the
 * rest is built, and the gate begins with the last commit. `published` is the trunk's head; `base` is that, or the end
 * of the train ahead.
 */
export async function depart(
  shop: Workshop,
  passengers: readonly Passenger[],
  at: { readonly published: string; readonly base: string },
): Promise<Train> {
  const { settings: target } = await findChecks((path) => shop.engine.readFile(at.base, path));
  const outcomes = await decideUnbuilt(shop, passengers, at.published, target);
  failpoint("merger.looked");

  const going = passengers.filter((one) => !outcomes.has(one));
  const built = await shop.engine.build(
    at.base,
    going.map(({ request }) => ({
      base: request.baseCommit,
      head: request.headCommit,
      title: request.title,
      trailers: {
        taskId: request.taskId,
        featureId: request.featureId,
        attempt: request.attempt,
        model: request.handoff.model,
        costUsd: request.handoff.metrics.costUsd,
      },
    })),
  );
  failpoint("merger.built");

  const seats: Seat[] = [];
  let tip = at.base;
  for (const passenger of passengers) {
    const landing = built[going.indexOf(passenger)];
    const outcome = outcomes.get(passenger) ?? (await unbuiltOutcome(shop, passenger.request, tip, landing));
    if (outcome !== null) {
      seats.push({ passenger, outcome });
    } else if (landing?.kind === "built") {
      const { commit, tree } = landing;
      seats.push({ passenger, built: { commit, tree } });
      tip = commit;
    }
  }
  const candidates = seats.flatMap((seat) => ("built" in seat ? [{ ...seat.built, target }] : []));
  const abandoned = new AbortController();
  const last = candidates.at(-1);
  const verdict =
    shop.gate === null || last === undefined
      ? Promise.resolve(null)
      : shop.gate
          .test(last, AbortSignal.any([abandoned.signal, shop.signal]))
          .catch((error: unknown) => Fault.from(error));
  return { base: at.base, seats, candidates, verdict, abandon: () => abandoned.abort("abandoned") };
}

/** What can be said before anything is built. */
async function decideUnbuilt(
  shop: Workshop,
  passengers: readonly Passenger[],
  published: string,
  target: TargetSettings,
): Promise<Map<Passenger, MergeOutcome>> {
  const outcomes = new Map<Passenger, MergeOutcome>();
  for (const passenger of passengers) {
    const commit = await shop.landed.find(published, passenger.request.taskId);
    if (commit !== null) outcomes.set(passenger, { kind: "already-landed", commit });
  }
  const wanted = passengers.filter((one) => !outcomes.has(one));
  const refs = wanted.map(({ request }) => request.ref);
  const missing = new Set(await fetchAttempts(shop.store, shop.mirror.dir, refs));
  for (const passenger of wanted) {
    const { request } = passenger;
    if (missing.has(request.ref)) {
      outcomes.set(passenger, { kind: "unsafe", why: `the store has no ${request.ref}` });
    } else if (request.approvedBy === undefined) {
      const why = decideHold(await readProtectionFacts(shop.engine, request, target.protected));
      if (why !== null) outcomes.set(passenger, { kind: "held", why, base: request.baseCommit });
    }
  }
  return outcomes;
}

/** The outcome of an attempt of which no landing could be built upon `tip`; null when one was. */
async function unbuiltOutcome(
  shop: Workshop,
  request: MergeRequest,
  tip: string,
  landing: BuiltLanding | undefined,
): Promise<MergeOutcome | null> {
  switch (landing?.kind) {
    case "conflict": {
      const paths = landing.paths.map((one) => one.path);
      const theirIntent = await intentOf(shop, request.baseCommit, tip, paths);
      const hot = await noteConflicts(shop, paths);
      return { kind: "conflict", paths: landing.paths, base: request.baseCommit, theirIntent, hot };
    }
    case "empty":
      return { kind: "unsafe", why: "the trunk has all of this already; nothing is left to land" };
    case "refused":
      return { kind: "unsafe", why: `git does not take it: ${landing.why}` };
    default:
      return null;
  }
}
