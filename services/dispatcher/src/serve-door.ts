import { createReadStream, createWriteStream } from "node:fs";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { progressSchema, type Assignment, type Progress } from "@agentswarm/contracts";
import type { DoorHandler } from "@agentswarm/sandbox";
import type { Gateway } from "./gateway/gateway.ts";
import type { Ticket } from "./gateway/ticket.ts";
import { readBody } from "./read-body.ts";
import type { Transcript } from "./transcript.ts";

/** What is carried through the door, as files of the host. */
export interface Files {
  readonly full: string;
  readonly thin: string | null;
  readonly resolve: string | null;
  /** Where the attempt's commits are put. */
  readonly result: string;
}

export interface DoorOptions {
  readonly assignment: Assignment;
  readonly files: Files;
  readonly transcript: Transcript;
  readonly gateway: Gateway;
  readonly ticket: Ticket;
  readonly onSign: () => void;
  /** Called when a model call begins; what it returns when the call is over. */
  readonly onCall: () => () => void;
  readonly onProgress: (progress: Progress) => void;
}

export interface DoorService {
  readonly handler: DoorHandler;
  /** Resolves once the result has come in. */
  readonly finished: Promise<void>;
  result(): unknown;
  hasBundle(): boolean;
}

type Route = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void>;

const MAX_PROGRESS_BYTES = 64 * 1024;
const MAX_JSON_BYTES = 8 * 1024 * 1024;
export const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;
const PROGRESS_EVERY_MS = 1_000;

/** Answers a sandbox: what it may ask for, what it may give, and nothing else. */
export function serveDoor(options: DoorOptions): DoorService {
  const { assignment, files, gateway, ticket } = options;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  let result: unknown;
  let hasBundle = false;
  let toldAt = -Infinity;

  const onProgress = (line: string) => {
    const progress = progressSchema.safeParse(parseJson(line));
    if (!progress.success || performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    options.onProgress(progress.data);
  };

  const routes: Record<string, Route> = {
    "GET /task": async (stream) => respond(stream, 200, JSON.stringify(assignment)),
    "GET /bundle/full": (stream) => sendFile(stream, files.full),
    "GET /bundle/thin": (stream) => sendFile(stream, files.thin),
    "GET /bundle/resolve": (stream) => sendFile(stream, files.resolve),
    "POST /progress": async (stream) => {
      const body = (await readBody(stream, MAX_PROGRESS_BYTES)).toString();
      for (const line of body.split("\n")) onProgress(line);
      respond(stream, 204);
    },
    "POST /transcript": async (stream) => {
      options.transcript.append(await readBody(stream, MAX_JSON_BYTES));
      respond(stream, 204);
    },
    "PUT /bundle": async (stream) => {
      hasBundle = false;
      await pipeline(stream, atMost(MAX_BUNDLE_BYTES), createWriteStream(files.result));
      hasBundle = true;
      respond(stream, 204);
    },
    "PUT /result": async (stream) => {
      // What cannot be parsed is a result too: one that is told as such.
      result = parseJson((await readBody(stream, MAX_JSON_BYTES)).toString()) ?? null;
      if (stream.destroyed) return finish();
      stream.once("close", finish);
      respond(stream, 204);
    },
    "POST /v1/chat/completions": async (stream, headers) => {
      const over = options.onCall();
      try {
        await gateway.complete(ticket, stream, headers);
      } finally {
        over();
      }
    },
    "GET /v1/models": async (stream, headers) => gateway.list(ticket, stream, headers),
  };

  return {
    finished,
    result: () => result,
    hasBundle: () => hasBundle,
    handler(stream, headers) {
      options.onSign();
      const name = `${headers[":method"]} ${headers[":path"]}`;
      const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
      if (route === undefined) return respond(stream, 404, '{"error":{"message":"no such path"}}');
      route(stream, headers).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        respond(stream, 400, JSON.stringify({ error: { message } }));
      });
    },
  };
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
  stream.respond({ ":status": status, "content-type": "application/json" });
  stream.end(body);
}

async function sendFile(stream: ServerHttp2Stream, file: string | null): Promise<void> {
  if (file === null) return respond(stream, 204);
  stream.respond({ ":status": 200, "content-type": "application/octet-stream" });
  await pipeline(createReadStream(file), stream);
}

/** Lets so many bytes through and then breaks off. */
export function atMost(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(new Error(`more than ${limitBytes} bytes`));
      else done(null, chunk);
    },
  });
}
