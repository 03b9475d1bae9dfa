import type { FastifyRequest, RouteHandlerMethod } from "fastify";
import { childTraceparent, newTraceparent } from "@agentswarm/contracts";
import { withTrace } from "@agentswarm/contracts/node";
import type { App } from "./app-type.ts";

/**
 * Every request continues the trace of its `traceparent` header, or opens one. The answer names it in the same header;
 * the request's log lines and all messages that its handler sends carry the trace id.
 */
export function traceRequests(app: App): void {
  app.addHook("onRequest", async (request, reply) => {
    const { traceparent: given } = request.headers;
    request.traceparent = typeof given === "string" ? childTraceparent(given) : newTraceparent();
    void reply.header("traceparent", request.traceparent);
  });
  app.addHook("onRoute", (route) => {
    const { handler } = route;
    route.handler = function (request, reply) {
      return inTraceOf(request, () => handler.call(this, request, reply));
    } as RouteHandlerMethod;
  });
}

/** Runs work outside of the handler in the request's trace, as the error handler's log lines. */
export function inTraceOf<T>(request: FastifyRequest, work: () => T): T {
  return withTrace(request.traceparent ?? newTraceparent(), work);
}

declare module "fastify" {
  interface FastifyRequest {
    traceparent?: string;
  }
}
