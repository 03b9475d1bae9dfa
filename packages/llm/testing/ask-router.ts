import type { Backend } from "../src/backends/backend.ts";
import type { Answer, Order, Router } from "../src/router/router.ts";

/** A backend that lies at a server of the test's. */
export function backendAt(name: string, baseUrl: string, change: Partial<Backend> = {}): Backend {
  return {
    name,
    baseUrl,
    apiKey: `key-of-${name}`,
    model: `model-of-${name}`,
    contextTokens: 1_000,
    prices: { input: 0, output: 0, cached: 0 },
    concurrency: 10,
    roles: null,
    priority: 1,
    jsonSchema: false,
    ...change,
  };
}

/** Asks as an agent's call does. */
export function ask(router: Router, change: Partial<Order> = {}): Promise<Answer> {
  return router.ask({
    role: "work",
    body: () => ({ model: "outward", messages: [] }),
    tokens: 1,
    streamed: false,
    manner: "patient",
    signal: new AbortController().signal,
    ...change,
  });
}

/** Who answered, or with what it was refused. */
export function who(answer: Answer): string | number {
  return answer.kind === "refused" ? answer.status : answer.backend.name;
}

export async function readAll(answer: Answer): Promise<object[]> {
  const events: object[] = [];
  if (answer.kind === "stream") for await (const event of answer.events) events.push(event);
  return events;
}
