import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Limits } from "@agentswarm/contracts";
import { addUsage, NO_USAGE, type Usage } from "@agentswarm/llm";

/** A per-attempt key to the model; the real one never enters a sandbox. */
export interface Ticket {
  readonly key: string;
  readonly swarmKey: string;
  charge(usage: Usage): void;
  usage(): { tokensIn: number; tokensOut: number; tokensCached: number; costUsd: number };
  /** Which bound was reached, or null. */
  exhausted(): string | null;
  revoke(): void;
}

export interface TicketOffice {
  issue(order: { limits: Limits; swarmKey: string }): Ticket;
  /** The ticket of an Authorization header, or null. */
  find(authorization: string | undefined): Ticket | null;
}

export function openTicketOffice(): TicketOffice {
  const tickets = new Map<string, Ticket>();
  return {
    issue({ limits, swarmKey }) {
      const key = `swt_${randomBytes(24).toString("base64url")}`;
      let used: Usage = NO_USAGE;
      const ticket: Ticket = {
        key,
        swarmKey,
        charge(usage) {
          used = addUsage(used, usage);
        },
        usage: () => {
          const { estimated: _, ...figures } = used;
          return figures;
        },
        exhausted() {
          if (used.tokensIn + used.tokensOut >= limits.tokens) return `the limit of ${limits.tokens} tokens was reached`;
          if (limits.costUsd > 0 && used.costUsd >= limits.costUsd) return `the limit of ${limits.costUsd} USD was reached`;
          return null;
        },
        revoke: () => void tickets.delete(key),
      };
      tickets.set(key, ticket);
      return ticket;
    },
    find(authorization) {
      const given = Buffer.from(/^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? "");
      for (const ticket of tickets.values()) {
        const key = Buffer.from(ticket.key);
        if (key.length === given.length && timingSafeEqual(key, given)) return ticket;
      }
      return null;
    },
  };
}
