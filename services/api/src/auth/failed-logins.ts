const WINDOW_MS = 60_000;
const ALLOWED = 60;

/** Counts refused log-ins by address, so that guessing keys is no cheap load. */
export interface FailedLogins {
  /** Counts one. Returns the seconds after which the address may try again once it has had too many, else null. */
  note(address: string, now: number): number | null;
}

/** A valid key is accepted from every address: behind a container's engine all clients have the same one. */
export function countFailedLogins(): FailedLogins {
  let startedAt = 0;
  let failures = new Map<string, number>();
  return {
    note(address, now) {
      if (now - startedAt >= WINDOW_MS) {
        startedAt = now;
        failures = new Map();
      }
      const count = (failures.get(address) ?? 0) + 1;
      failures.set(address, count);
      return count > ALLOWED ? Math.ceil((startedAt + WINDOW_MS - now) / 1_000) : null;
    },
  };
}
