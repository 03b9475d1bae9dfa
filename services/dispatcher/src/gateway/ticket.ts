import { randomBytes, timingSafeEqual } from "node:crypto";
import type { BudgetHandle, BudgetLevel, Limits, Role } from "@agentswarm/contracts";
import { addUsage, NO_USAGE, type Usage } from "@agentswarm/llm";

/** Bounds of what one ticket may be used for. */
export interface TicketOrder {
  readonly limits: Limits;
  /** Whose calls they are; the backend is chosen by it. */
  readonly role: Role;
  /** Milliseconds since 1970; worth nothing afterwards. */
  readonly expiresAt: number;
  /** What its calls are paid from, beside the limits. */
  readonly budget: BudgetHandle;
  /** Told about every finished call, numbered from 1. */
  readonly onCharge?: (usage: Usage, call: number) => void;
  /** Told once, when a call was refused because a bound is reached. */
  readonly onExhausted?: (why: string, level: BudgetLevel) => void;
}

/** A per-attempt key to the model; the real one never enters a sandbox. */
export interface Ticket {
  readonly key: string;
  readonly role: Role;
  readonly budget: BudgetHandle;
  /** Starts a call, or says which bound forbids it. A call that was started must be charged. */
  begin(): { kind: "open" } | { kind: "exhausted"; why: string } | { kind: "crowded" };
  /** Takes a call back that was started, as its budget forbids it. */
  forbid(level: BudgetLevel, why: string): void;
  /** Ends a call. `unavailable` tells why the backend gave no answer, where it did not. */
  charge(usage: Usage, unavailable?: string): void;
  usage(): { tokensIn: number; tokensOut: number; tokensCached: number; costUsd: number };
  /** Calls made. */
  calls(): number;
  /** Which bound of its own was reached and used to refuse a call, or null. */
  exhausted(): string | null;
  /** Which budget that it shares with others was used up when a call was refused, or null. */
  usedUp(): string | null;
  /** Why the newest call got no answer, when that was the backend's trouble. */
  unavailable(): string | null;
  revoke(): void;
}

export interface TicketOffice {
  issue(order: TicketOrder): Ticket;
  /** The ticket of an Authorization header, or null. */
  find(authorization: string | undefined): Ticket | null;
}

/** An agent asks one thing at a time; more at once would spend past its cap before anything is charged. */
const CALLS_AT_ONCE = 4;

export function openTicketOffice(): TicketOffice {
  const tickets = new Map<string, { ticket: Ticket; expiresAt: number }>();
  return {
    issue(order) {
      const ticket = createTicket(order, (key) => tickets.delete(key));
      tickets.set(ticket.key, { ticket, expiresAt: order.expiresAt });
      return ticket;
    },
    find(authorization) {
      const given = Buffer.from(/^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? "");
      for (const { ticket, expiresAt } of tickets.values()) {
        const key = Buffer.from(ticket.key);
        if (key.length === given.length && timingSafeEqual(key, given))
          return Date.now() < expiresAt ? ticket : null;
      }
      return null;
    },
  };
}

function createTicket(order: TicketOrder, forget: (key: string) => void): Ticket {
  const { limits } = order;
  const key = `swt_${randomBytes(24).toString("base64url")}`;
  let used: Usage = NO_USAGE;
  let [calls, open, charged] = [0, 0, 0];
  let exhausted: string | null = null;
  let usedUp: string | null = null;
  let unavailable: string | null = null;
  const reached = (): string | null => {
    if (used.tokensIn + used.tokensOut >= limits.tokens)
      return `the limit of ${limits.tokens} tokens was reached`;
    if (limits.costUsd > 0 && used.costUsd >= limits.costUsd)
      return `the limit of ${limits.costUsd} USD was reached`;
    if (calls >= limits.turns) return `the limit of ${limits.turns} turns was reached`;
    return null;
  };
  const exhaust = (level: BudgetLevel, why: string) => {
    if (exhausted === null && usedUp === null) order.onExhausted?.(why, level);
    if (level === "task") exhausted = why;
    else usedUp = why;
  };
  return {
    key,
    role: order.role,
    budget: order.budget,
    begin() {
      const why = reached();
      if (why !== null) {
        exhaust("task", why);
        return { kind: "exhausted", why };
      }
      if (open >= CALLS_AT_ONCE) return { kind: "crowded" };
      calls += 1;
      open += 1;
      return { kind: "open" };
    },
    forbid(level, why) {
      calls -= 1;
      open -= 1;
      exhaust(level, why);
    },
    charge(usage, why) {
      open -= 1;
      unavailable = why ?? null;
      used = addUsage(used, usage);
      if (usage.tokensIn + usage.tokensOut === 0) return;
      // Not the number of calls begun, which two that go on at once would share.
      charged += 1;
      order.onCharge?.(usage, charged);
    },
    usage: () => {
      const { estimated: _, ...figures } = used;
      return figures;
    },
    calls: () => calls,
    exhausted: () => exhausted,
    usedUp: () => usedUp,
    unavailable: () => unavailable,
    revoke: () => forget(key),
  };
}
