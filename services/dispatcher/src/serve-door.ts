import { createReadStream, createWriteStream } from "node:fs";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { progressSchema, type Assignment, type Progress } from "@agentswarm/contracts";
import type { DoorHandler } from "@agentswarm/sandbox";
import type { Gateway } from "./gateway/gateway.ts";
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
  readonly onSign: () => void;
  readonly onProgress: (progress: Progress) => void;
}

export interface DoorService {
  readonly handler: DoorHandler;
  /** Resolves once the result has come in. */
  readonly finished: Promise<void>;
  result(): unknown;
  hasBundle(): boolean;
}

const MAX_JSON_BYTES = 8 * 1024 * 1024;
const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;
const PROGRESS_EVERY_MS = 1_000;

/** Answers a sandbox: what it may ask for, what it may give, and nothing else. */
export function serveDoor(options: DoorOptions): DoorService {
  const { assignment, files } = options;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  let result: unknown;
  let hasBundle = false;
  let toldAt = 0;

  const routes: Record<string, (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void>> = {
    "GET /task": async (stream) => respond(stream, 200, JSON.stringify(assignment)),
    "GET /bundle/full": (stream) => sendFile(stream, files.full),
    "GET /bundle/thin": (stream) => sendFile(stream, files.thin),
    "GET /bundle/resolve": (stream) => sendFile(stream, files.resolve),
    "POST /progress": async (stream) => {
      const progress = progressSchema.safeParse(JSON.parse((await readBody(stream, MAX_JSON_BYTES)).toString()));
      if (progress.success && Date.now() - toldAt >= PROGRESS_EVERY_MS) {
        toldAt = Date.now();
        options.onProgress(progress.data);
      }
      respond(stream, 204);
    },
    "POST /transcript": async (stream) => {
      options.transcript.append(await readBody(stream, MAX_JSON_BYTES));
      respond(stream, 204);
    },
    "PUT /bundle": async (stream) => {
      await pipeline(stream, atMost(MAX_BUNDLE_BYTES), createWriteStream(files.result));
      hasBundle = true;
      respond(stream, 204);
    },
    "PUT /result": async (stream) => {
      const body = await readBody(stream, MAX_JSON_BYTES);
      try {
        result = JSON.parse(body.toString());
      } catch {
        result = null;
      }
      respond(stream, 204);
      stream.once("close", finish);
    },
    "POST /v1/chat/completions": (stream, headers) => options.gateway.complete(stream, headers),
    "GET /v1/models": async (stream) => respond(stream, 200, JSON.stringify({ data: [{ id: assignment.model }] })),
  };

  return {
    finished,
    result: () => result,
    hasBundle: () => hasBundle,
    handler(stream, headers) {
      options.onSign();
      const route = routes[`${headers[":method"]} ${headers[":path"]}`];
      if (route === undefined) return respond(stream, 404, '{"error":{"message":"no such path"}}');
      route(stream, headers).catch((error: unknown) => {
        respond(stream, 400, JSON.stringify({ error: { message: error instanceof Error ? error.message : String(error) } }));
      });
    },
  };
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

function atMost(limit: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limit) done(new Error(`more than ${limit} bytes`));
      else done(null, chunk);
    },
  });
}
