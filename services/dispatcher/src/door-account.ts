import { DOOR_LIMITS } from "@agentswarm/contracts";
import type { DoorMemory } from "./door-memory.ts";

/** A request beyond the limits of its door; `status` is its answer. */
export class DoorOverrun extends Error {
  readonly status = 429;
}

/** Counts the bytes of one request's body. Both functions throw DoorOverrun before a limit is exceeded, `hold` DoorsFull too. */
export interface BodyCount {
  /** Bytes that were received and not kept. */
  received(bytes: number): void;
  /** Bytes that were received and are in memory until the request is answered. */
  hold(bytes: number): void;
}

/** What one sandbox has done at its door, checked against DOOR_LIMITS. */
export interface DoorAccount {
  /** Opens a request until it is disposed. Throws DoorOverrun. */
  open(): BodyCount & Disposable;
  /** Counts a request that went beyond a limit. */
  overrun(why: string): void;
  /** Why the sandbox may do no more, or null. */
  exceeded(): string | null;
}

export function openDoorAccount(
  memory: DoorMemory,
  limits: Record<keyof typeof DOOR_LIMITS, number> = DOOR_LIMITS,
): DoorAccount {
  const shared = memory.open();
  let [streams, heldBytes, bytes, requests, overruns] = [0, 0, 0, 0, 0];
  let exceeded: string | null = null;
  const received = (more: number) => {
    bytes += more;
    if (bytes > limits.bytes)
      throw new DoorOverrun(`more than ${limits.bytes} bytes came through this door in one attempt`);
  };
  return {
    open() {
      if (streams >= limits.streams)
        throw new DoorOverrun(`more than ${limits.streams} requests at once at this door`);
      if (requests >= limits.requests)
        throw new DoorOverrun(`more than ${limits.requests} requests at this door in one attempt`);
      requests += 1;
      streams += 1;
      let held = 0;
      return {
        received,
        hold(more) {
          received(more);
          if (heldBytes + more > limits.heldBytes)
            throw new DoorOverrun(`more than ${limits.heldBytes} bytes at once at this door`);
          shared.take(more);
          held += more;
          heldBytes += more;
        },
        [Symbol.dispose]() {
          streams -= 1;
          heldBytes -= held;
          shared.give(held);
        },
      };
    },
    overrun(why) {
      overruns += 1;
      if (overruns >= limits.overruns)
        exceeded ??= `the sandbox went beyond the limits of its door ${overruns} times, at last: ${why}`;
    },
    exceeded: () => exceeded,
  };
}
