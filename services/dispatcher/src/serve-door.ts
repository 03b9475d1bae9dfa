import { createReadStream, createWriteStream } from "node:fs";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { pipeline } from "node:stream/promises";
import {
  asFault,
  DOOR,
  doorQuery,
  findDoorRoute,
  PROGRESS_INTERVAL_MS,
  type Assignment,
  type DoorRouteName,
  type Fault,
  type Progress,
} from "@agentswarm/contracts";
import type { DoorHandler } from "@agentswarm/sandbox";
import type { AttemptFiles } from "./attempt-files.ts";
import { atMost, chunksOf, isTooLong, readBounded } from "./bounded-body.ts";
import { DoorOverrun, openDoorAccount, type BodyCount } from "./door-account.ts";
import { DoorsFull, type DoorMemory } from "./door-memory.ts";
import type { AttemptKey } from "./gateway/attempt-key.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { NoteBox } from "./note-box.ts";
import type { Questions } from "./questions.ts";
import type { Transcript } from "./transcript.ts";

export interface DoorOptions {
  readonly assignment: Assignment;
  readonly files: AttemptFiles;
  readonly transcript: Pick<Transcript, "append">;
  readonly gateway: Gateway;
  /** Shared by all doors. */
  readonly memory: DoorMemory;
  /** The only key that this door accepts for the model. */
  readonly key: AttemptKey;
  /** What people say to the agent. */
  readonly notes: Pick<NoteBox, "next" | "hear">;
  /** Called at every request but those that wait for notes: an agent that only waits gives no sign of life. */
  readonly onRequest: () => void;
  /** Called when a model call begins; returns the function to call at its end. */
  readonly onCall: () => () => void;
  readonly onProgress: (progress: Progress) => void;
  readonly questions: Pick<Questions, "ask">;
}

export interface DoorService {
  readonly handler: DoorHandler;
  /** Resolves once the result has come in, or the sandbox has exceeded its account. */
  readonly finished: Promise<void>;
  /** The result as it came in; undefined before, null when it is not JSON. */
  result(): unknown;
  hasBundle(): boolean;
  /** The fault of this machine for which commits were not received, such as a full disk, or null. */
  hostFault(): Fault | null;
  /** Why the sandbox may do no more at its door, or null. */
  exceeded(): string | null;
}

type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, count: BodyCount) => Promise<void>;

/** Serves the routes of DOOR to one sandbox; every other request is answered 404. */
export function serveDoor(options: DoorOptions): DoorService {
  const { assignment, files, gateway, key } = options;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const account = openDoorAccount(options.memory);
  let result: unknown;
  let hasBundle = false;
  let hostFault: Fault | null = null;
  let progressAt = -Infinity;

  const onProgress = (line: string) => {
    const progress = DOOR.progress.body.schema.safeParse(parseJson(line));
    if (!progress.success || performance.now() - progressAt < PROGRESS_INTERVAL_MS) return;
    progressAt = performance.now();
    options.onProgress(progress.data);
  };

  const serve: Record<DoorRouteName, Serve> = {
    task: async (stream) => respond(stream, 200, JSON.stringify(assignment)),
    fullBundle: (stream) => sendFile(stream, files.full),
    thinBundle: (stream) => sendFile(stream, files.thin),
    resolveBundle: (stream) => sendFile(stream, files.resolve),
    async progress(stream, _headers, count) {
      const body = (await readBounded(stream, DOOR.progress.body.maxBytes, count)).toString();
      for (const line of body.split("\n")) onProgress(line);
      respond(stream, 204);
    },
    async transcript(stream, _headers, count) {
      await options.transcript.append(await readBounded(stream, DOOR.transcript.body.maxBytes, count));
      respond(stream, 204);
    },
    async inbox(stream, headers) {
      const { after } = DOOR.inbox.query.parse(doorQuery(headers[":path"]));
      const gone = new AbortController();
      stream.once("close", () => gone.abort());
      if (stream.destroyed) gone.abort();
      const inbox = await options.notes.next(after, gone.signal);
      if (inbox === null) respond(stream, 204);
      else respond(stream, 200, JSON.stringify(inbox));
    },
    async heard(stream, _headers, count) {
      const body = (await readBounded(stream, DOOR.heard.body.maxBytes, count)).toString();
      const one = DOOR.heard.body.schema.parse(parseJson(body));
      if (!options.notes.hear(one)) throw new Error(`nobody said a note ${one.noteId} to this attempt`);
      respond(stream, 204);
    },
    async question(stream, _headers, count) {
      const body = (await readBounded(stream, DOOR.question.body.maxBytes, count)).toString();
      const question = DOOR.question.body.schema.safeParse(parseJson(body));
      if (!question.success)
        return respond(stream, 400, errorBody(`not a question: ${question.error.message}`));
      const gone = new AbortController();
      stream.once("close", () => gone.abort());
      respond(stream, 200, JSON.stringify(await options.questions.ask(question.data, gone.signal)));
    },
    async commits(stream, _headers, count) {
      hasBundle = false;
      const limit = atMost(DOOR.commits.body.maxBytes, count);
      await pipeline(chunksOf(stream), limit, createWriteStream(files.result));
      hasBundle = true;
      respond(stream, 204);
    },
    async result(stream, _headers, count) {
      const body = (await readBounded(stream, DOOR.result.body.maxBytes, count)).toString();
      // A result that is not JSON is a result too: decideEnd makes a failure of it.
      result = parseJson(body) ?? null;
      if (stream.destroyed) return finish();
      stream.once("close", finish);
      respond(stream, 204);
    },
    async chatCompletions(stream, headers, count) {
      const endCall = options.onCall();
      try {
        await gateway.complete(key, stream, headers, count);
      } finally {
        endCall();
      }
    },
    models: async (stream, headers) => gateway.list(key, stream, headers),
  };

  const answer = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const route = findDoorRoute(headers[":method"], headers[":path"]);
    if (route !== "inbox") options.onRequest();
    try {
      using count = account.open();
      if (route === null) return respond(stream, 404, errorBody("no such path"));
      await serve[route](stream, headers, count);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const fault = asFault(error);
      // Other errors of the system may be the sandbox's own: it broke off.
      if (fault.source === "operator") hostFault = fault;
      if (error instanceof DoorOverrun || isTooLong(error)) account.overrun(message);
      respond(stream, statusOf(error), errorBody(message));
      // The rest of the request is not read.
      stream.close(constants.NGHTTP2_NO_ERROR);
      if (account.exceeded() !== null) finish();
    }
  };

  return {
    finished,
    result: () => result,
    hasBundle: () => hasBundle,
    hostFault: () => hostFault,
    exceeded: () => account.exceeded(),
    handler: (stream, headers) => void answer(stream, headers),
  };
}

function statusOf(error: unknown): number {
  if (error instanceof DoorOverrun || error instanceof DoorsFull) return error.status;
  return isTooLong(error) ? 413 : 400;
}

function errorBody(message: string): string {
  return JSON.stringify({ error: { message } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function respond(stream: ServerHttp2Stream, status: number, body = ""): void {
  if (stream.destroyed || stream.headersSent) return;
  const later = status === 503 ? { "retry-after": "1" } : {};
  stream.respond({ ":status": status, "content-type": "application/json", ...later });
  stream.end(body);
}

async function sendFile(stream: ServerHttp2Stream, file: string | null): Promise<void> {
  if (file === null) return respond(stream, 204);
  stream.respond({ ":status": 200, "content-type": "application/octet-stream" });
  await pipeline(createReadStream(file), stream);
}
