import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Transform, type Readable } from "node:stream";
import { Fault } from "@agentswarm/contracts";
import type { SandboxLimits } from "@agentswarm/sandbox";
import type { ContainerHost } from "@agentswarm/sandbox/containers";
import { idSchema, keySchema, killSchema, orderSchema } from "../protocol.ts";
import { readJson } from "../read-json.ts";
import type { LiveContainers } from "./live-containers.ts";
import { serveProgram } from "./serve-program.ts";

const MAX_JSON_BYTES = 256 * 1024;

export interface Bounds {
  readonly ceiling: SandboxLimits;
  readonly maxContainers: number;
  readonly maxContentBytes: number;
}

type Handler = (id: string, stream: ServerHttp2Stream, query: URLSearchParams) => Promise<void>;

/** Everything that can be asked of a broker. Throws a TypeError for what cannot be read, else a Fault. */
export function createRoutes(
  host: ContainerHost,
  live: LiveContainers,
  bounds: Bounds,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void> {
  const own = (id: string, stream: ServerHttp2Stream) => {
    if (stream.session === undefined) throw new Fault("not-found", "the connection is gone");
    return live.of(id, stream.session);
  };
  let opening = 0;

  const open: Handler = async (_id, stream) => {
    const order = await readJson(stream, orderSchema, MAX_JSON_BYTES);
    for (const limit of ["memoryBytes", "pids", "cpus", "wallMs"] as const) {
      if (order.limits[limit] <= bounds.ceiling[limit]) continue;
      const message = `${limit} may be ${bounds.ceiling[limit]} at most, and ${order.limits[limit]} was asked for`;
      throw new Fault("sandbox.refused", message);
    }
    if (live.count() + opening >= bounds.maxContainers)
      throw new Fault("sandbox.unavailable", `${bounds.maxContainers} sandboxes run`, { retryable: true });
    const { session } = stream;
    if (session === undefined) return;
    opening += 1;
    try {
      const { task, attempt, ...labels } = order.labels;
      const container = await host.open({
        ...order,
        labels: {
          ...labels,
          ...(task === undefined ? {} : { task }),
          ...(attempt === undefined ? {} : { attempt }),
        },
      });
      await live.add(container, session);
      answer(stream, 200, { id: container.id });
    } finally {
      opening -= 1;
    }
  };

  const routes: Record<string, Handler> = {
    "GET /host": async (_id, stream) => answer(stream, 200, { unenforced: host.unenforced }),
    "GET /contents": async (id, stream) => answer(stream, (await host.hasContent(keyOf(id))) ? 204 : 404),
    "PUT /contents": async (id, stream) => {
      await host.putContent(keyOf(id), atMost(stream, bounds.maxContentBytes));
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
      live.forget(id);
      answer(stream, 200, await container.figures());
    },
    "DELETE /containers": async (id, stream) => {
      await host.terminate(id);
      live.forget(id);
      answer(stream, 204);
    },
  };

  return async (stream, headers) => {
    const url = new URL(headers[":path"] ?? "/", "http://broker");
    const [what = "", id, which] = url.pathname.split("/").slice(1);
    const handler = routes[`${headers[":method"]} /${which === undefined ? what : `${what}/${which}`}`];
    if (handler === undefined) throw new Fault("not-found", "a broker does nothing of that name");
    if (id !== undefined && !idSchema.safeParse(id).success) throw new TypeError("that is no name");
    await handler(id ?? "", stream, url.searchParams);
  };
}

function keyOf(id: string): string {
  if (keySchema.safeParse(id).success) return id;
  throw new TypeError("a key may hold letters, digits and dashes");
}

function answer(stream: ServerHttp2Stream, status: number, body?: unknown): void {
  if (stream.destroyed) return;
  stream.resume();
  stream.respond({ ":status": status }, { endStream: body === undefined });
  if (body !== undefined) stream.end(JSON.stringify(body));
}

/** Passes a stream on, and breaks it off where it gets too long; also when the client breaks it off. */
function atMost(stream: ServerHttp2Stream, maxBytes: number): Readable {
  let length = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length <= maxBytes) done(null, chunk);
      else done(new TypeError(`longer than ${maxBytes} bytes`));
    },
  });
  counted.on("error", () => undefined);
  stream.on("aborted", () => counted.destroy(new TypeError("broken off")));
  stream.pipe(counted);
  return counted;
}
