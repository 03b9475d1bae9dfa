import { failpoint, type MergeOutcome } from "@agentswarm/contracts";
import { findCulprit } from "./find-culprit.ts";
import type { Verdict } from "./gate.ts";
import { nudge } from "./nudge.ts";
import type { Passenger } from "./passengers.ts";
import type { Seat, Train } from "./train.ts";
import type { Workshop } from "./workshop.ts";

/** What came of a train. */
export interface Arrival {
  /** The trunk carries all of it, so that the train behind it may go on. */
  readonly whole: boolean;
  /** Who has to be built again, in order. */
  readonly again: readonly Passenger[];
}

/** How often a landing is built again because the trunk moved under it. */
const MOVES = 10;

/** Publishes a train whose gate was green, or as much of it as comes before what turned it red. */
export async function arrive(shop: Workshop, train: Train, verdict: Verdict): Promise<Arrival> {
  failpoint("merger.gated");
  const { gate } = shop;
  if (verdict === null || gate === null) return publish(shop, train, train.seats);
  const { seats, candidates } = train;
  const nth = await findCulprit(candidates.length, async (first) => {
    const candidate = candidates[first - 1];
    return candidate !== undefined && (await gate.test(candidate, shop.signal)) !== null;
  });
  const culprit = candidates[nth];
  const at = seats.findIndex((seat) => "built" in seat && seat.built.commit === culprit?.commit);
  const arrival = await publish(shop, train, seats.slice(0, at));
  if (!arrival.whole) return { whole: false, again: [...arrival.again, ...passengersOf(seats.slice(at))] };
  // What it fails with when only what is known to be green is before it; that run is remembered.
  const red = (culprit === undefined ? null : await gate.test(culprit, shop.signal)) ?? verdict;
  seats[at]?.passenger.settle({
    kind: "rejected",
    check: red.name ?? red.command,
    outputTail: red.outputTail,
  });
  return { whole: false, again: passengersOf(seats.slice(at + 1)) };
}

async function publish(shop: Workshop, train: Train, seats: readonly Seat[]): Promise<Arrival> {
  const landings = seats.flatMap(({ passenger, ...seat }) =>
    "built" in seat ? [{ taskId: passenger.request.taskId, commit: seat.built.commit }] : [],
  );
  const head = landings.at(-1)?.commit;
  if (head !== undefined) {
    const { mirror } = shop;
    const pushed = await mirror.push(
      { ref: `refs/heads/${mirror.trunk}`, from: train.base, to: head },
      shop.lease,
    );
    failpoint("merger.published");
    if (pushed === "moved") return { whole: false, again: passengersOf(seats).filter(mayTryAgain) };
    shop.landed.note(train.base, head, landings);
    shop.upkeep.grown();
  }
  for (const seat of seats) seat.passenger.settle(outcomeOf(seat, landings.length));
  if (head !== undefined) await nudge(shop, { head, landings: landings.length });
  return { whole: true, again: [] };
}

function outcomeOf(seat: Seat, group: number): MergeOutcome {
  if (!("built" in seat)) return seat.outcome;
  const { commit, tree } = seat.built;
  return { kind: "landed", commit, tree, group };
}

function mayTryAgain(passenger: Passenger): boolean {
  passenger.moves += 1;
  if (passenger.moves <= MOVES) return true;
  const outputTail = `the trunk moved ${MOVES} times while this was being landed`;
  passenger.settle({ kind: "rejected", check: "publish", outputTail });
  return false;
}

function passengersOf(seats: readonly Seat[]): Passenger[] {
  return seats.map(({ passenger }) => passenger);
}
