import type { SwaggerTransform } from "@fastify/swagger";
import { jsonSchemaTransform } from "@fastify/type-provider-zod";
import { PROBLEM_TYPE } from "@agentswarm/contracts";

const DESCRIPTION: Readonly<Record<string, string>> = {
  "200": "Success",
  "202": "Accepted: written to the queue",
  default: "A problem by RFC 9457",
};

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
  return { schema: { ...schema, response: Object.fromEntries(responses) }, url };
};
