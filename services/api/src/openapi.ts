import type { SwaggerTransform } from "@fastify/swagger";
import { jsonSchemaTransform } from "@fastify/type-provider-zod";
import { PROBLEM_TYPE, type Route } from "@agentswarm/contracts";

const DESCRIPTION: Readonly<Record<string, string>> = {
  "200": "Success",
  "202": "Accepted: written to the queue",
  default: "A problem by RFC 9457",
};

/** What a client may meet, beside the success. All of them are problems by RFC 9457. */
const PROBLEMS: Readonly<Record<string, string>> = {
  "400": "A part of the request does not fit its schema; `errors` names the fields",
  "401": "No valid API key, where one is needed",
  "403": "The person's role may not do this; `x-role` names the one it needs",
  "404": "There is no such thing",
  "409": "Its present state does not allow this",
  "412": "The decision is about another head than If-Match names",
  "413": "The body is too large",
  "415": "The body is not JSON",
  "422": "The request is understood, and refused as it is",
  "428": "If-Match is needed: the head that was looked at",
  "429": "Too many requests; Retry-After says when to come again",
  "503": "Redis or the swarm has no room now; Retry-After says when to come again",
};

/** The statuses of problems with which a route may answer. */
function problemsOf(schema: object, { needs, method }: { needs: Route["needs"]; method: string }): string[] {
  const has = (part: string) => part in schema;
  const changes = method !== "GET";
  const takes = ["params", "querystring", "headers", "body"].some(has);
  return [
    ...(takes ? ["400"] : []),
    ...(needs === "nothing" ? [] : ["401", "403", "429"]),
    ...(has("params") ? ["404"] : []),
    ...(changes ? ["409"] : []),
    ...(has("body") ? ["413", "415", "422"] : []),
    ...(takesIfMatch(schema) ? ["412", "428"] : []),
    "503",
  ];
}

function takesIfMatch(schema: object): boolean {
  const { headers } = schema as { headers?: { properties?: object } };
  return headers?.properties !== undefined && "if-match" in headers.properties;
}

/** Who may ask for a route, as the document says it. */
function accessOf({ needs, needsForOthers }: Pick<Route, "needs" | "needsForOthers">): object {
  if (needs === "nothing") return { security: [] };
  return {
    "x-role": needs,
    ...(needsForOthers && { "x-role-for-others": needsForOthers }),
    security: [{ bearer: [] }, { basic: [] }],
  };
}

/** Zod schemas as JSON schemas; each answer under its own media type. */
export const describeRoute: SwaggerTransform = (route) => {
  const transformed = jsonSchemaTransform(route as Parameters<typeof jsonSchemaTransform>[0]);
  const { schema, url } = transformed;
  const answerType = route.route.config?.answerType;
  const { response } = schema as { response?: Record<string, object> };
  if (response === undefined || answerType === undefined) return transformed;
  const responses = Object.entries(response).map(([status, body]) => {
    const type = status === "default" ? PROBLEM_TYPE : answerType;
    return [status, { description: DESCRIPTION[status] ?? "Answer", content: { [type]: { schema: body } } }];
  });
  const needs = route.route.config?.needs ?? "viewer";
  const problems = problemsOf(schema as object, { needs, method: String(route.route.method) }).map(
    (status) => [
      status,
      { description: PROBLEMS[status], content: { [PROBLEM_TYPE]: { schema: response["default"] } } },
    ],
  );
  return {
    schema: {
      ...schema,
      ...accessOf({ needs, needsForOthers: route.route.config?.needsForOthers }),
      response: Object.fromEntries([...responses, ...problems]),
    },
    url,
  };
};
