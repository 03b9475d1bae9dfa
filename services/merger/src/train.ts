import type { Fault, MergeOutcome } from "@agentswarm/contracts";
import type { Candidate, Verdict } from "./gate.ts";
import type { Passenger } from "./passengers.ts";

/** A place in a train: a landing that was built, or an outcome that needs none. */
export type Seat =
  | { readonly passenger: Passenger; readonly built: { readonly commit: string; readonly tree: string } }
  | { readonly passenger: Passenger; readonly outcome: MergeOutcome };

/** Landings built one upon the other, which are tested together and published together. */
export interface Train {
  /** The commit it was built on: the trunk's head, or the last commit of the train before it. */
  readonly base: string;
  readonly seats: readonly Seat[];
  /** Its commits, in order; the last is what the gate tests. */
  readonly candidates: readonly Candidate[];
  readonly verdict: Promise<Verdict | Fault>;
  /** Ends its test: what it was built on will not be. */
  abandon(): void;
}

/** The commit that the trunk has once the train has arrived. */
export function endOf(train: Train): string {
  return train.candidates.at(-1)?.commit ?? train.base;
}

export function tasksOf(trains: readonly Train[]): Set<string> {
  return new Set(trains.flatMap(({ seats }) => seats.map(({ passenger }) => passenger.request.taskId)));
}
