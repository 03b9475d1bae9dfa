import type { Backend } from "../src/backends/backend.ts";
import type { Router, RouterAnswer, RouterCall } from "../src/router/router.ts";

/** A backend at a server of the test. */
export function backendAt(name: string, baseUrl: string, change: Partial<Backend> = {}): Backend {
  return {
    name,
    baseUrl,
    apiKey: `key-of-${name}`,
    model: `model-of-${name}`,
    settings: { key: `KEY_OF_${name}`, model: `MODEL_OF_${name}`, url: `URL_OF_${name}` },
    contextTokens: 1_000,
    prices: { input: 0, output: 0, cached: 0 },
    pricesKnown: true,
    concurrency: 10,
    roles: null,
    priority: 1,
    jsonSchema: false,
    ...change,
  };
}

/** Makes a call as an agent does. */
export function ask(router: Router, change: Partial<RouterCall> = {}): Promise<RouterAnswer> {
  return router.ask({
    role: "work",
    body: () => ({ model: "outward", messages: [] }),
    tokens: 1,
    streamed: false,
    retry: "patient",
    signal: new AbortController().signal,
    ...change,
  });
}

/** The name of the backend that answered, or the status of the refusal. */
export function answeredBy(answer: RouterAnswer): string | number {
  return answer.kind === "refused" ? answer.status : answer.backend.name;
}

export async function readAll(answer: RouterAnswer): Promise<object[]> {
  const events: object[] = [];
  if (answer.kind === "stream") for await (const event of answer.events) events.push(event);
  return events;
}
