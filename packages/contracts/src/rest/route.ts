import type { z } from "zod";
import type { PersonRole } from "../person.ts";

/** Media types of successful answers. */
export type AnswerType =
  | "application/json"
  | "application/x-ndjson"
  | "text/event-stream"
  | "text/x-diff"
  | "text/plain; version=0.0.4";

/** One route of the REST API, as data: the api serves it and the client asks it by the same description. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** Parameters are written as `:name`. */
  readonly path: `/${string}`;
  readonly tag: "features" | "tasks" | "decisions" | "swarm" | "jobs" | "keys" | "probes";
  readonly summary: string;
  /** The role that a person needs; `nothing`: everybody may ask, without a key. */
  readonly needs: PersonRole | "nothing";
  /** The role that it takes for a feature of somebody else, and for its tasks; by default `needs`. */
  readonly needsForOthers?: PersonRole;
  /** Whether sending the same request twice has the effect of one, so that a client may retry it. */
  readonly repeatable: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The status of success. Every other answer is a `Problem`. */
  readonly status: 200 | 202;
  /** The status of an answer that comes before the request's effect is known, if the route gives such answers. */
  readonly pendingStatus?: 202;
  readonly type: AnswerType;
  readonly response: z.ZodType;
}

/** A part of a request; it may be left out where all that it holds may be. */
type Given<K extends string, S> = S extends z.ZodType
  ? object extends z.input<S>
    ? { readonly [key in K]?: z.input<S> }
    : undefined extends z.input<S>
      ? { readonly [key in K]?: z.input<S> }
      : { readonly [key in K]: z.input<S> }
  : object;

/** What a request of a route consists of, as its sender writes it. */
export type RequestOf<R extends Route> = Given<"params", R["params"]> &
  Given<"query", R["query"]> &
  Given<"headers", R["headers"]> &
  Given<"body", R["body"]>;

/** The body of a route's successful answer. */
export type ResponseOf<R extends Route> = z.output<R["response"]>;
