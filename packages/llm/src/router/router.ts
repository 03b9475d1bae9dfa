import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Role } from "@agentswarm/contracts";
import type { Backend } from "../backends/backend.ts";
import type { Prices } from "../backends/models.ts";
import type { Patience, Refused } from "../wire/ask-once.ts";
import { mayPass } from "../wire/judge-refusal.ts";
import type { BreakerOptions } from "./breaker.ts";
import { chooseBackend, type Wish } from "./choose-backend.ts";
import { openLane, type Lane, type Place } from "./lane.ts";
import { TRIES, waitMs } from "./retry.ts";
import { openWaitingRoom } from "./waiting-room.ts";

/** One call to the model, whichever backend answers it. */
export interface Order {
  readonly role: Role;
  /** What is posted; the backend's own model is put in. */
  readonly body: (backend: Backend) => object;
  /** About how long the question is, in tokens. */
  readonly tokens: number;
  readonly streamed: boolean;
  /**
   * `patient`: waits between tries and for a backend to come back, up to `firstMs`. `once`: every backend at most one
   * time; the caller's own queue comes again.
   */
  readonly manner: "patient" | "once";
  readonly signal: AbortSignal;
}

/** What came of it. `backend` is the one that answered, whose prices are to be charged. */
export type Answer =
  | { kind: "whole"; completion: object; backend: Backend }
  /** Its first event has come; what goes wrong from here on throws, and is not tried again. */
  | { kind: "stream"; events: AsyncGenerator<object>; backend: Backend }
  | (Refused & {
      /** It is the backends' trouble, not the request's. */
      readonly unavailable: boolean;
    });

export interface Router {
  readonly backends: readonly Backend[];
  /** How the model is called towards those who ask: as the first backend calls it. */
  readonly model: string;
  /** The dearest there are: what a call may cost, before a backend is chosen. */
  readonly prices: Prices;
  /** Throws only when the order's signal is aborted. */
  ask(order: Order): Promise<Answer>;
}

/** A breaker that opened or closed. `why` is the last trouble. */
export interface BackendChange {
  readonly backend: string;
  readonly state: "opened" | "closed";
  readonly why: string;
}

export interface RouterOptions {
  readonly patience?: Partial<Patience>;
  readonly breaker?: Partial<BreakerOptions>;
  readonly onChange?: (change: BackendChange) => void;
}

const PATIENCE: Patience = {
  connectMs: 10_000,
  firstMs: 290_000,
  betweenMs: 120_000,
  wholeMs: 600_000,
  coldMs: 10_000,
};
const BREAKER: BreakerOptions = { failures: 5, probeAfterMs: 5_000 };

/** Opens a list of backends behind one door. What it learns of them is shared by all calls of this process. */
export function createRouter(backends: readonly Backend[], options: RouterOptions = {}): Router {
  const [first] = backends;
  if (first === undefined) throw new Fault("config.invalid", "no backend was given");
  const patience = { ...PATIENCE, ...options.patience };
  const room = openWaitingRoom();
  const lanes = new Map<string, Lane>();
  for (const backend of backends) {
    const lane = openLane(backend, {
      patience,
      alone: backends.length === 1,
      breaker: { ...BREAKER, ...options.breaker },
      onFree: () => room.nudge(),
      onChange: ({ name }, state, why) => options.onChange?.({ backend: name, state, why }),
    });
    lanes.set(backend.name, lane);
  }

  const choose = (wish: Wish) => {
    for (const lane of lanes.values()) lane.probe();
    const standings = [...lanes.values()].map((lane) => lane.standing());
    return chooseBackend(standings, wish, Date.now());
  };

  /** A place at a backend, or when to come again (null: nobody knows). */
  async function findPlace(
    wish: Wish,
    order: Order,
    giveUpAt: number,
  ): Promise<Place | { until: number | null }> {
    for (;;) {
      const choice = choose(wish);
      if (choice.kind === "go") {
        const lane = lanes.get(choice.name);
        // Taken in the same breath, so that two calls cannot be given one place.
        if (lane !== undefined) return lane.take();
      } else {
        const { until, busy } = choice;
        if (Date.now() >= giveUpAt || (order.manner === "once" && !busy)) return { until };
        await room.wait(Math.min(until ?? giveUpAt, giveUpAt), order.signal);
      }
    }
  }

  return {
    backends,
    model: first.model,
    prices: dearest(backends),
    async ask(order) {
      const { role, tokens, signal, streamed, manner } = order;
      const giveUpAt = Date.now() + patience.firstMs;
      const tried = new Set<string>();
      let counted = 0;
      let rounds = 1;
      let last: Refused | undefined;
      for (;;) {
        const place = await findPlace({ role, tokens, tried }, order, giveUpAt);
        if ("until" in place) return { ...(last ?? nobodyIsThere(place.until)), unavailable: true };
        const { lane, ask } = place;
        const { backend } = lane;
        const said = await ask(order.body(backend), { streamed, signal });
        if (said.kind !== "refused") return { ...said, backend };
        last = said;
        tried.add(backend.name);
        const wait = waitMs(rounds, said.retryAfter);
        if (said.retryAfter !== null) lane.pause(Date.now() + wait);
        const passing = mayPass(said.refusal);
        const others = choose({ role, tokens, tried }).kind === "go";
        // A key that one backend does not take says nothing of the others.
        if (!passing && !(said.refusal === "foreign" && others)) return { ...said, unavailable: false };
        // A cold endpoint is waited for by the clock, as its workers take minutes to come up.
        const cold = said.refusal === "cold" && Date.now() + wait < giveUpAt;
        if (!cold) counted += 1;
        if (counted >= TRIES) return { ...said, unavailable: true };
        if (others) continue;
        if (manner === "once") return { ...said, unavailable: true };
        tried.clear();
        rounds += 1;
        await sleep(cold ? Math.min(wait, patience.coldMs) : wait, undefined, { signal });
      }
    },
  };
}

function dearest(backends: readonly Backend[]): Prices {
  const most = (kind: keyof Prices) => Math.max(...backends.map(({ prices }) => prices[kind]));
  return { input: most("input"), output: most("output"), cached: most("cached") };
}

function nobodyIsThere(until: number | null): Refused {
  const seconds = until === null ? 1 : Math.max(1, Math.ceil((until - Date.now()) / 1_000));
  const message = "no backend can be asked now";
  return { kind: "refused", refusal: "outage", status: 503, message, retryAfter: String(seconds) };
}
