import { afterAll, beforeAll, expect, test } from "vitest";
import { REST, type Route } from "@agentswarm/contracts";
import { startApi, type TestApi } from "../testing/start-api.ts";

interface Operation {
  readonly "x-role"?: string;
  readonly "x-role-for-others"?: string;
  readonly security?: unknown;
  readonly responses: Record<string, { content?: Record<string, { schema?: Record<string, unknown> }> }>;
}

let api: TestApi;
let operations: [where: string, Operation][];
beforeAll(async () => {
  api = await startApi();
  const document = (await (await api.ask("/docs/json")).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});
afterAll(() => api[Symbol.asyncDispose]());

const routes: readonly Route[] = Object.values(REST);
const nameOf = ({ method, path }: Route) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`;

test("the OpenAPI document has the routes of the table and no others", () => {
  expect(operations.map(([where]) => where).toSorted()).toEqual(routes.map(nameOf).toSorted());
});

test("every operation has a schema for its successful answer, under its media type", () => {
  for (const route of routes) {
    const [, operation] = operations.find(([where]) => where === nameOf(route)) ?? [];
    const { content = {} } = operation?.responses[route.status] ?? {};
    expect(Object.keys(content), nameOf(route)).toEqual([route.type]);
    const schema = content[route.type]?.schema ?? {};
    expect(schema["type"], nameOf(route)).toBe(route.type === "application/json" ? "object" : "string");
    if (schema["type"] === "object") expect(Object.keys(schema["properties"] ?? {})).not.toEqual([]);
  }
});

test("every operation has the problem's schema for all other answers", () => {
  for (const [where, { responses }] of operations) {
    const schema = responses["default"]?.content?.["application/problem+json"]?.schema;
    expect(schema?.["required"], where).toEqual(
      expect.arrayContaining(["type", "title", "status", "detail"]),
    );
  }
});

test("every operation names the role that its route needs, and that a probe needs none", () => {
  for (const route of routes) {
    const [, operation] = operations.find(([where]) => where === nameOf(route)) ?? [];
    const open = route.needs === "nothing";
    expect([nameOf(route), operation?.["x-role"]]).toEqual([nameOf(route), open ? undefined : route.needs]);
    expect(operation?.["x-role-for-others"]).toBe(route.needsForOthers);
    expect(operation?.security).toEqual(open ? [] : [{ bearer: [] }, { basic: [] }]);
  }
});
