import { Fault, type MergeOutcome, type MergeRequest } from "@agentswarm/contracts";
import { arrive } from "./arrive.ts";
import { depart } from "./depart.ts";
import { FIRST_GROUP, LARGEST_GROUP, nextGroupSize } from "./group-size.ts";
import { openPassengers, type JobOf } from "./passengers.ts";
import { endOf, tasksOf, type Train } from "./train.ts";
import type { Workshop } from "./workshop.ts";

/** Lands attempts in the order in which they come, in groups. */
export interface Landings {
  land(request: MergeRequest, job: JobOf): Promise<MergeOutcome>;
}

/** The train that is being tested, and one built on top of it. */
const TRAINS_UNDER_TEST = 2;

/**
 * The one line of trains to the trunk. Whatever waits when a train can leave is its group. While the gate tests one
 * train the next is built on top of it and tested too; it is thrown away only if the first one fails. Without a gate
 * there is nothing to wait for, and one train follows the other.
 */
export function openLandings(shop: Workshop): Landings {
  const passengers = openPassengers();
  const depth = shop.gate === null ? 1 : TRAINS_UNDER_TEST;
  let trains: Train[] = [];
  let size = shop.gate === null ? LARGEST_GROUP : FIRST_GROUP;
  let conducting = false;

  const send = async (): Promise<boolean> => {
    const group = passengers.take(size, tasksOf(trains));
    if (group.length === 0) return false;
    try {
      await Promise.all(group.map((passenger) => passenger.atWork()));
      const [first] = trains;
      const last = trains.at(-1);
      if (first === undefined) await shop.mirror.fetch();
      const published = first?.base ?? (await shop.mirror.head());
      trains.push(await depart(shop, group, { published, base: last ? endOf(last) : published }));
    } catch (error) {
      for (const passenger of group) passenger.fail(Fault.from(error));
    }
    return true;
  };

  const receive = async (train: Train, verdict: Awaited<Train["verdict"]>): Promise<void> => {
    if (verdict instanceof Fault) {
      abandonBehind();
      for (const { passenger } of train.seats) passenger.fail(verdict);
      return;
    }
    if (train.candidates.length > 0) size = nextGroupSize(size, verdict === null);
    if (verdict !== null) abandonBehind();
    try {
      const { whole, again } = await arrive(shop, train, verdict);
      if (!whole) abandonBehind();
      passengers.putBack(again);
    } catch (error) {
      abandonBehind();
      for (const { passenger } of train.seats) passenger.fail(Fault.from(error));
      return;
    }
  };

  const abandonBehind = () => {
    for (const train of trains) train.abandon();
    passengers.putBack(trains.flatMap(({ seats }) => seats.map((seat) => seat.passenger)));
    trains = [];
  };

  const conduct = async (): Promise<void> => {
    while (!shop.signal.aborted) {
      while (trains.length < depth && (await send())) {
        // As many as may be under way.
      }
      const [first] = trains;
      if (first === undefined) {
        if (passengers.count === 0) return;
        continue;
      }
      const arrival = trains.length < depth ? [passengers.arrival().then(() => "arrival" as const)] : [];
      const verdict = await Promise.race([first.verdict, ...arrival]);
      if (verdict === "arrival") continue;
      trains.shift();
      await receive(first, verdict);
    }
    for (const train of trains) train.abandon();
  };

  const start = async (): Promise<void> => {
    if (conducting) return;
    conducting = true;
    try {
      await conduct();
    } finally {
      conducting = false;
    }
    if (passengers.count > 0 && !shop.signal.aborted) await start();
  };

  return {
    land(request, job) {
      const outcome = passengers.add(request, job);
      start().catch((error: unknown) => shop.log.error({ err: error }, "the line of landings stopped"));
      return outcome;
    },
  };
}
