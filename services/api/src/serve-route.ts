import type { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from "fastify";
import type { z } from "zod";
import { problemSchema, type ResponseOf, type Route } from "@agentswarm/contracts";
import type { App } from "./app-type.ts";
import type { Person } from "./auth/person.ts";

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/** A request whose parts fit the route's schemas. */
export interface RouteRequest<R extends Route> {
  readonly params: Parsed<R["params"]>;
  readonly query: Parsed<R["query"]>;
  readonly headers: Parsed<R["headers"]>;
  readonly body: Parsed<R["body"]>;
  readonly person: Person;
  /** Who asks, and by which way, as messages carry it. */
  readonly asker: Pick<Person, "by" | "via">;
  /** Makes the answer one that comes before the request's effect is known: it gets the route's `pendingStatus`. */
  pending(): void;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** A body that fits the route's schema, or a stream of a text. `undefined` only after the reply was taken over. */
type RouteAnswer<R extends Route> =
  | ResponseOf<R>
  | (R["type"] extends "application/json" ? never : Readable | undefined);

/** Registers one route of the table with its schemas. The handler returns the body of the successful answer. */
export function serveRoute<R extends Route>(
  app: App,
  route: R,
  handler: (asked: RouteRequest<R>) => Promise<RouteAnswer<R>> | RouteAnswer<R>,
): void {
  const { method, path: url, tag, summary, params, query, headers, body, status, type, response } = route;
  const { pendingStatus } = route;
  const schema: RouteShorthandOptions["schema"] = {
    tags: [tag],
    summary,
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(headers && { headers }),
    ...(body && { body }),
    response: {
      [status]: response,
      ...(pendingStatus && { [pendingStatus]: response }),
      default: problemSchema,
    },
  };
  app.route({
    method,
    url,
    schema,
    config: { answerType: type, needs: route.needs, needsForOthers: route.needsForOthers },
    handler: async (request, reply) => {
      let isPending = false;
      const answer = await handler({
        params: request.params as Parsed<R["params"]>,
        query: request.query as Parsed<R["query"]>,
        headers: request.headers as Parsed<R["headers"]>,
        body: request.body as Parsed<R["body"]>,
        person: request.person,
        asker: { by: request.person.by, via: request.person.via },
        pending: () => {
          isPending = true;
        },
        request,
        reply,
      });
      if (route.method !== "GET") logCommand(request, route, answer);
      void reply.code(isPending ? (pendingStatus ?? status) : status).type(type);
      return answer;
    },
  });
}

const ID_NAME: Partial<Record<Route["tag"], string>> = {
  features: "featureId",
  tasks: "taskId",
  decisions: "decisionId",
  jobs: "jobId",
  keys: "keyId",
};

/** One line per command that was accepted, with the id of its subject. */
function logCommand(request: FastifyRequest, { tag, summary, method, path }: Route, answer: unknown): void {
  const { id, queue } = answer as { id?: string; queue?: string };
  const { by, via } = request.person;
  request.log.info(
    { [ID_NAME[tag] ?? "id"]: id, queue, by, via, route: `${method} ${path}` },
    `accepted: ${summary}`,
  );
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** The media type of the route's successful answer. */
    answerType?: string;
    /** The role that a person needs. */
    needs?: Route["needs"];
    /** The role that it takes for what somebody else submitted, where it is another one. */
    needsForOthers?: Route["needsForOthers"];
  }
}
