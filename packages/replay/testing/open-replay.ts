import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { startReplay } from "../src/index.ts";

export interface TestReplay extends AsyncDisposable {
  readonly url: string;
  readonly client: OpenAI;
  /** A chat completion by plain fetch. */
  post(body: object): Promise<Response>;
}

/** A replay server on a free port with these scenario files, a client of it and a plain POST. */
export async function openReplay(
  scenario: string | Record<string, string>,
  options: { maxWaitMs?: number } = {},
): Promise<TestReplay> {
  const dir = await mkdtemp(join(tmpdir(), "swarm-replay-"));
  const files = typeof scenario === "string" ? { "scenario.yaml": scenario } : scenario;
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  try {
    const replay = await startReplay({ scenarioDir: dir, ...options });
    return {
      url: replay.url,
      client: new OpenAI({ baseURL: replay.url, apiKey: "none", maxRetries: 0 }),
      post: (body) =>
        fetch(`${replay.url}/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "recorded", ...body }),
        }),
      [Symbol.asyncDispose]: () => replay.close(),
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The begin of a conversation: the key in the system message, the task in the user message. */
export function ask(key: string, text = "Go on"): { role: "system" | "user"; content: string }[] {
  return [
    { role: "system", content: `You are a test.\n\nSwarm-Key: ${key}` },
    { role: "user", content: text },
  ];
}
