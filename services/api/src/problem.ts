import type { FastifyError } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "@fastify/type-provider-zod";
import { Fault, isTransientRedisError, PROBLEM_TYPE } from "@agentswarm/contracts";
import type { App } from "./app-type.ts";
import { inTraceOf } from "./trace-request.ts";

/** An expected refusal; the error handler answers it by RFC 9457 (application/problem+json). */
export class Problem extends Error {
  readonly status: number;
  /** The same, for Bull Board's own error handler. */
  readonly statusCode: number;
  readonly type: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, type: string, detail: string, retryAfterSeconds?: number) {
    super(detail);
    this.status = status;
    this.statusCode = status;
    this.type = type;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** For lookups: `(await find(id)) ?? notFound("task", id)`. */
export function notFound(noun: string, id: string): never {
  throw new Problem(404, "not-found", `there is no ${noun} ${id}`);
}

/** The refusal that the REST API answers for a fault. */
export function asProblem(fault: Fault): Problem {
  const status = STATUS[fault.code] ?? 500;
  const retryAfter = status === 503 ? RETRY_SECONDS : undefined;
  return new Problem(status, fault.code.replaceAll(".", "-"), fault.message, retryAfter);
}

const STATUS: Partial<Record<Fault["code"], number>> = {
  "redis.unavailable": 503,
  "not-found": 404,
  conflict: 409,
  "message.invalid": 422,
};
const RETRY_SECONDS = 2;

/** The one place where errors become answers. */
export function answerProblems(app: App): void {
  app.setErrorHandler((error: FastifyError | Problem | Fault, request, reply) => {
    const { status, type, detail, errors, retryAfter } = describe(error);
    if (status >= 500 && status !== 503) {
      inTraceOf(request, () => request.log.error({ err: error }, "request failed"));
    }
    if (retryAfter !== undefined) void reply.header("retry-after", String(retryAfter));
    return reply
      .code(status)
      .type(PROBLEM_TYPE)
      .send(
        JSON.stringify({
          type: `urn:agentswarm:${type}`,
          title: type.replaceAll("-", " "),
          status,
          detail,
          errors,
          instance: request.url,
        }),
      );
  });
  app.setNotFoundHandler((request) => {
    throw new Problem(
      404,
      "not-found",
      `there is no route ${request.method} ${request.url}; /docs lists them`,
    );
  });
}

function describe(error: FastifyError | Problem | Fault): {
  status: number;
  type: string;
  detail: string;
  errors?: { field: string; message: string }[];
  retryAfter?: number | undefined;
} {
  if (error instanceof Fault) return describe(asProblem(error));
  if (error instanceof Problem) {
    return {
      status: error.status,
      type: error.type,
      detail: error.message,
      retryAfter: error.retryAfterSeconds,
    };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.flatMap(({ instancePath, params, message = "is not valid" }) => {
      const path = instancePath.split("/").filter((part: string) => part !== "");
      const unknown = Array.isArray(params["keys"]) ? (params["keys"] as string[]) : [];
      const fields = unknown.length > 0 ? unknown.map((name) => [...path, name]) : [path];
      return fields.map((field) => ({ field: field.join(".") || "(body)", message }));
    });
    const detail = errors.map((one) => `${one.field}: ${one.message}`).join("; ");
    return { status: 400, type: "invalid-request", detail, errors };
  }
  if (isTransientRedisError(error)) {
    const detail = `Redis refuses the command for now: ${error.message}`;
    return { status: 503, type: "redis-unavailable", detail, retryAfter: RETRY_SECONDS };
  }
  const status = error.statusCode ?? 500;
  return {
    status,
    type: status >= 500 ? "internal" : "refused",
    detail:
      status >= 500 ? "an internal error; the api's log has it under this answer's trace id" : error.message,
  };
}
