import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Transform, type Readable } from "node:stream";
import { Fault } from "@agentswarm/contracts";
import { toLabels, type SandboxLimits } from "@agentswarm/sandbox";
import type { ContainerHost } from "@agentswarm/sandbox/containers";
import { keySchema, killSchema, orderSchema, sandboxIdSchema } from "../protocol.ts";
import { readJson } from "../read-json.ts";
import type { LiveContainers } from "./live-containers.ts";
import { serveProgram } from "./serve-program.ts";

const MAX_JSON_BYTES = 256 * 1024;

/** `diskBytes` has none: no work folder is larger than the broker's SANDBOX_WORK_BYTES. */
export type Ceiling = Omit<SandboxLimits, "diskBytes">;

/** The settings that raise the ceiling. */
const CEILING_SETTINGS: Record<keyof Ceiling, string> = {
  memoryBytes: "BROKER_MAX_MEMORY_BYTES",
  pids: "BROKER_MAX_PIDS",
  cpus: "BROKER_MAX_CPUS",
  wallMs: "BROKER_MAX_WALL_MS",
};

/** What the broker permits its clients. */
export interface Bounds {
  readonly ceiling: Ceiling;
  readonly maxContainers: number;
  readonly maxContentBytes: number;
}

type Handler = (id: string, stream: ServerHttp2Stream, query: URLSearchParams) => Promise<void>;

/** Makes the handler of all requests. It throws a TypeError for an invalid request, otherwise a Fault. */
export function createRoutes(
  host: ContainerHost,
  live: LiveContainers,
  bounds: Bounds,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void> {
  const own = (id: string, stream: ServerHttp2Stream) => {
    if (stream.session === undefined) throw new Fault("not-found", "the connection was closed");
    return live.get(id, stream.session);
  };
  let opening = 0;

  const open: Handler = async (_id, stream) => {
    const order = await readJson(stream, orderSchema, MAX_JSON_BYTES);
    for (const limit of ["memoryBytes", "pids", "cpus", "wallMs"] as const) {
      if (order.limits[limit] <= bounds.ceiling[limit]) continue;
      const message = `limit ${limit}=${order.limits[limit]} exceeds the broker's maximum of ${bounds.ceiling[limit]}`;
      throw new Fault("sandbox.refused", `${message}: lower it, or raise ${CEILING_SETTINGS[limit]}`);
    }
    if (live.count() + opening >= bounds.maxContainers) {
      const message = `the broker's maximum of ${bounds.maxContainers} sandboxes is reached (BROKER_MAX_SANDBOXES)`;
      throw new Fault("sandbox.unavailable", message, { retryable: true });
    }
    const { session } = stream;
    if (session === undefined) return;
    opening += 1;
    try {
      const container = await host.open({ ...order, labels: toLabels(order.labels) });
      await live.add(container, session);
      answer(stream, 200, { id: container.id });
    } finally {
      opening -= 1;
    }
  };

  const routes: Record<string, Handler> = {
    "GET /host": async (_id, stream) => answer(stream, 200, { unenforced: host.unenforced }),
    "GET /contents": async (id, stream) => answer(stream, (await host.hasContent(checkKey(id))) ? 204 : 404),
    "PUT /contents": async (id, stream) => {
      const key = checkKey(id);
      await host.putContent(key, hashedAs(key, atMost(stream, bounds.maxContentBytes)));
      answer(stream, 204);
    },
    "POST /containers": open,
    "GET /containers": async (_id, stream, query) =>
      answer(stream, 200, await host.list(query.get("swarm") ?? "")),
    "PUT /containers/files": async (id, stream) => {
      await own(id, stream).container.putFiles(atMost(stream, bounds.maxContentBytes));
      answer(stream, 204);
    },
    "POST /containers/programs": (id, stream) => serveProgram(own(id, stream), stream),
    "POST /containers/kill": async (id, stream) => {
      const { programs } = own(id, stream);
      const { exec } = await readJson(stream, killSchema, MAX_JSON_BYTES);
      programs.get(exec)?.kill();
      answer(stream, 204);
    },
    "GET /containers/figures": async (id, stream) =>
      answer(stream, 200, await own(id, stream).container.figures()),
    "POST /containers/end": async (id, stream) => {
      const { container } = own(id, stream);
      await container.terminate();
      live.remove(id);
      answer(stream, 200, await container.figures());
    },
    "DELETE /containers": async (id, stream) => {
      if (live.isForeign(id, stream.session))
        throw new Fault("not-found", `no sandbox ${id} was opened over this connection`);
      await host.terminate(id);
      live.remove(id);
      answer(stream, 204);
    },
  };

  return async (stream, headers) => {
    const { pathname, searchParams } = new URL(headers[":path"] ?? "/", "http://broker");
    const [collection = "", id, part] = pathname.split("/").slice(1);
    const route = `${headers[":method"]} /${part === undefined ? collection : `${collection}/${part}`}`;
    const handler = routes[route];
    if (handler === undefined)
      throw new Fault("not-found", `no route ${route}; the broker offers ${Object.keys(routes).join(", ")}`);
    if (id !== undefined && collection === "containers") checkSandboxId(id);
    await handler(id ?? "", stream, searchParams);
  };
}

function checkSandboxId(id: string): void {
  if (sandboxIdSchema.safeParse(id).success) return;
  throw new TypeError(`invalid sandbox name ${id}: use a-z, 0-9 and '-', at most 64 characters`);
}

function checkKey(key: string): string {
  if (keySchema.safeParse(key).success) return key;
  throw new TypeError(`invalid content key ${key}: it is the SHA-256 of the content, in hex`);
}

function answer(stream: ServerHttp2Stream, status: number, body?: unknown): void {
  if (stream.destroyed) return;
  stream.resume();
  stream.respond({ ":status": status }, { endStream: body === undefined });
  if (body !== undefined) stream.end(JSON.stringify(body));
}

/** Passes a request body on; fails when it gets longer than `maxBytes` or when the client aborts it. */
function atMost(stream: ServerHttp2Stream, maxBytes: number): Readable {
  let length = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length <= maxBytes) done(null, chunk);
      else done(new TypeError(`the body is longer than ${maxBytes} bytes (BROKER_MAX_CONTENT_BYTES)`));
    },
  });
  counted.on("error", () => undefined);
  stream.on("aborted", () => counted.destroy(new TypeError("the client aborted the request")));
  stream.pipe(counted);
  return counted;
}

/** Passes a stream on, and fails at its end with a TypeError when its SHA-256 is not `key`. */
function hashedAs(key: string, stream: Readable): Readable {
  const hash = createHash("sha256");
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const found = hash.digest("hex");
      done(found === key ? null : new TypeError(`the content's SHA-256 is ${found}, not its key ${key}`));
    },
  });
  checked.on("error", () => undefined);
  stream.on("error", (error) => checked.destroy(error));
  return stream.pipe(checked);
}
