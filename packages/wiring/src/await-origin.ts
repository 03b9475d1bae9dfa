import { setTimeout as sleep } from "node:timers/promises";
import { asFault } from "@agentswarm/contracts";
import { beginEmptyOrigin, openOrigin, type Mirror } from "@agentswarm/git";
import { openWaiting, type QueueConnection } from "@agentswarm/queue";
import type { ServiceContext } from "@agentswarm/service";
import type { RepoLocation } from "./open-repos.ts";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

export interface OriginOptions extends Omit<
  Parameters<typeof openOrigin>[0],
  "url" | "credential" | "trunk" | "mirrorDir"
> {
  /** Of the service that may push: an origin without a branch gets an empty first commit. */
  readonly begins?: boolean;
}

/**
 * Opens the origin of a repository. While that fails by something that may be corrected outside of the service (the
 * origin is away, refuses the credential, or has no commit), the service waits for it and the trunk shows as waiting
 * with the reason. Throws any other Fault, and the reason of `signal` when it is aborted.
 */
export async function awaitOrigin(
  { log, signal }: Pick<ServiceContext<unknown>, "log" | "signal">,
  connection: QueueConnection,
  location: RepoLocation,
  { begins = false, ...options }: OriginOptions = {},
): Promise<Mirror> {
  const waiting = openWaiting(connection);
  const subject = { repoId: location.repoId };
  for (let tries = 0; ; tries += 1) {
    try {
      const branch = begins ? await beginEmptyOrigin(location) : null;
      if (branch !== null) log.info({ branch }, "the origin was empty: it has a first commit now");
      const mirror = await openOrigin({ ...location, ...options });
      if (tries > 0) await waiting.clear(subject);
      return mirror;
    } catch (error) {
      const fault = asFault(error);
      if (!fault.retryable || fault.code === "config.invalid") throw error;
      if (tries === 0)
        log.warn({ code: fault.code, why: fault.message }, "the origin cannot be opened yet; waiting for it");
      await waiting.note(subject, fault);
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(tries, 10), LONGEST_DELAY_MS);
      await sleep(delayMs, undefined, { signal });
    }
  }
}
