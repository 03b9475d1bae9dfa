import { z } from "zod";
import { assignmentSchema } from "./assignment.ts";
import { agentResultSchema } from "./handoff.ts";
import { heardNoteSchema, MAX_NOTES, noteSchema } from "./note.ts";
import { progressSchema } from "./progress.ts";
import { agentQuestionSchema, questionAnswerSchema } from "./question.ts";

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;

/** The body of a request through the door. */
export interface DoorBody {
  /** `application/x-ndjson`: one JSON value a line. */
  readonly type: "application/json" | "application/x-ndjson" | "application/octet-stream";
  /** The schema of the value, or of each line; absent where the door does not look at the content. */
  readonly schema?: z.ZodType;
  /** A longer body is refused with status 413. */
  readonly maxBytes: number;
}

/** One route of a sandbox's door, as data: the dispatcher serves it, and the agent asks it by the same description. */
export interface DoorRoute {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: `/${string}`;
  /** The schema of the query's parameters; absent: the path has no query. */
  readonly query?: z.ZodType;
  /** Absent: the request has no body. */
  readonly body?: DoorBody;
  /** The schema of a JSON answer, where the agent parses it. */
  readonly answer?: z.ZodType;
}

/**
 * The account of one door: what a sandbox may do there in one attempt. A request beyond it is answered 429 or 413 with
 * the reason, and after `overruns` of them the attempt ends as `failed`.
 */
export const DOOR_LIMITS = {
  /** Requests that are open at the same time; a client that follows HTTP/2's settings waits instead of going beyond. */
  streams: 64,
  /** Bytes of bodies in memory at the same time, from their first byte until their request is answered. */
  heldBytes: 32 * MIB,
  /** Bytes of all bodies together. */
  bytes: 4 * GIB,
  requests: 100_000,
  overruns: 50,
} as const;

/** Milliseconds after which the inbox answers a request for notes when there are none. */
export const INBOX_WAIT_MS = 25_000;

/** Notes for the agent, in the order in which people said them. */
export const inboxSchema = z.object({
  notes: z.array(noteSchema).max(MAX_NOTES * 2),
  upTo: z.int().min(0).describe("Number of the last of them: `after` of the next request"),
});

/** The prefix of the model's routes, as OpenAI's clients expect it behind the host. */
export const DOOR_MODEL_PREFIX = "/v1";

/**
 * Every route of the door between a sandbox and its dispatcher: HTTP/2 over the stdin and stdout of the agent's process.
 * Any other request is answered 404. The three bundles and the inbox answer 204 when there is none. `PUT /result` comes
 * last and ends the attempt.
 */
export const DOOR = {
  task: { method: "GET", path: "/task", answer: assignmentSchema },
  fullBundle: { method: "GET", path: "/bundle/full" },
  thinBundle: { method: "GET", path: "/bundle/thin" },
  resolveBundle: { method: "GET", path: "/bundle/resolve" },
  progress: {
    method: "POST",
    path: "/progress",
    body: { type: "application/x-ndjson", schema: progressSchema, maxBytes: 64 * KIB },
  },
  transcript: {
    method: "POST",
    path: "/transcript",
    body: { type: "application/x-ndjson", maxBytes: 8 * MIB },
  },
  /**
   * What people say to the agent while it works: a long poll. Notes up to `after` are not sent again. A second request
   * ends the first, and no request here is a sign of life.
   */
  inbox: {
    method: "GET",
    path: "/inbox",
    query: z.object({ after: z.coerce.number().int().min(0) }),
    answer: inboxSchema,
  },
  /** That the model was sent a note. */
  heard: {
    method: "POST",
    path: "/heard",
    body: { type: "application/json", schema: heardNoteSchema, maxBytes: 4 * KIB },
  },
  /** A question to people. Held open until it is answered, or the attempt is parked. */
  question: {
    method: "POST",
    path: "/question",
    body: { type: "application/json", schema: agentQuestionSchema, maxBytes: 64 * KIB },
    answer: questionAnswerSchema,
  },
  /** The commits of the attempt. */
  commits: {
    method: "PUT",
    path: "/bundle",
    body: { type: "application/octet-stream", maxBytes: 256 * MIB },
  },
  /** A claim: the dispatcher compares it with what it measured. */
  result: {
    method: "PUT",
    path: "/result",
    // The fields of a result are bounded (HANDOFF_LIMITS); escapes in JSON may make its text several times longer.
    body: { type: "application/json", schema: agentResultSchema, maxBytes: 2 * MIB },
  },
  chatCompletions: {
    method: "POST",
    path: `${DOOR_MODEL_PREFIX}/chat/completions`,
    // A prompt of a million tokens is about 5 MiB.
    body: { type: "application/json", maxBytes: 8 * MIB },
  },
  models: { method: "GET", path: `${DOOR_MODEL_PREFIX}/models` },
} as const satisfies Record<string, DoorRoute>;

export type DoorRouteName = keyof typeof DOOR;

/** The routes that every program in the sandbox may use; the others are the runner's. */
export const DOOR_MODEL_ROUTES: readonly DoorRoute[] = [DOOR.chatCompletions, DOOR.models];

/** At most one sign of life in this time is passed on for each attempt; more are dropped. Milliseconds. */
export const PROGRESS_INTERVAL_MS = 1_000;

/** The route of a request, or null. */
export function findDoorRoute(method: string | undefined, path: string | undefined): DoorRouteName | null {
  const names = Object.keys(DOOR) as DoorRouteName[];
  return names.find((name) => DOOR[name].method === method && isPathOf(DOOR[name], path)) ?? null;
}

function isPathOf(route: DoorRoute, path: string | undefined): boolean {
  return route.path === (route.query === undefined ? path : path?.split("?", 1)[0]);
}

/** The parameters in the query of a path. */
export function doorQuery(path: string | undefined): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(path?.split("?", 2)[1]));
}
