import type { FastifyRequest } from "fastify";
import {
  includesRole,
  VIA_HEADER,
  viaOf,
  type PersonRole,
  type Route,
  type Via,
} from "@agentswarm/contracts";
import { Problem } from "../problem.ts";

/** Who asks for something, by which way, and what this person may do. */
export interface Person {
  /** The id of the API key, or `local` where none is needed. */
  readonly by: string;
  readonly via: Via;
  readonly role: PersonRole;
}

/** Whoever can reach an api without keys owns the machine. */
export const LOCAL = { by: "local", role: "admin" } as const satisfies Omit<Person, "via">;
/** Whoever asks for a route that needs nothing. */
export const NOBODY = { by: "nobody", role: "viewer" } as const satisfies Omit<Person, "via">;

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether a request of this method changes nothing. */
export function isSafe(method: string): boolean {
  return SAFE_METHODS.has(method);
}

/** The role that a request needs. Pages that are not in the table of routes are for viewers, their buttons for operators. */
export function neededRole({ method, routeOptions }: FastifyRequest): Route["needs"] {
  return routeOptions.config?.needs ?? (isSafe(method) ? "viewer" : "operator");
}

/** The way that a request names for itself. */
export function viaOfRequest({ headers }: FastifyRequest): Via {
  return viaOf(headers[VIA_HEADER]);
}

/** Whether a person may ask for a route about a feature, or about one of its tasks, that `submitter` submitted. */
function mayActOn(
  { needs, needsForOthers }: Pick<Route, "needs" | "needsForOthers">,
  { by, role }: Pick<Person, "by" | "role">,
  submitter: string | undefined,
): boolean {
  if (needs === "nothing") return true;
  return includesRole(role, by === submitter ? needs : (needsForOthers ?? needs));
}

/** Throws Problem 403 unless a person may ask for a route about this feature, or about one of its tasks. */
export function refuseOthers(
  route: Route,
  person: Person,
  feature: { id: string; by?: string | undefined },
): void {
  if (mayActOn(route, person, feature.by)) return;
  const whose = feature.by === undefined ? "nobody knows who submitted" : `${feature.by} submitted`;
  throw new Problem(
    403,
    "not-yours",
    `${whose} feature ${feature.id}: for it this needs the role ${route.needsForOthers ?? route.needs}, and ${person.by} has the role ${person.role}`,
  );
}
