import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  DEFAULT_LIMITS,
  DOOR,
  taskSchema,
  type Assignment,
  type DoorRoute,
  type DoorRouteName,
} from "@agentswarm/contracts";
import { createRouter, resolveBackends } from "@agentswarm/llm";
import { createLogger } from "@agentswarm/service";
import { json, startBackend, USAGE, type ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { UNLIMITED_BUDGET } from "../../../test/support/unlimited-budget.ts";
import { openDoorMemory } from "./door-memory.ts";
import { createGateway } from "./gateway/gateway.ts";
import { openNoteBox } from "./note-box.ts";
import { serveDoor, type DoorService } from "./serve-door.ts";

const MODEL = "glm-5";
const CHUNK = Buffer.alloc(1024 * 1024, " ");
const dir = mkdtempSync(join(tmpdir(), "swarm-door-"));
const names = Object.keys(DOOR) as DoorRouteName[];
const stack = new AsyncDisposableStack();

let door: DoorService;
let session: http2.ClientHttp2Session;
let key: string;
let requests = 0;
const notes = openNoteBox({ before: [], waitMs: 50 });
const transcript: string[] = [];
const progress: unknown[] = [];

beforeAll(async () => {
  const message = { role: "assistant", content: "hi" };
  const answer = { choices: [{ message, finish_reason: "stop" }], usage: USAGE };
  const backend: ScriptedBackend = stack.use(await startBackend(json(200, answer)));
  const settings = { LLM_BASE_URL: backend.baseUrl, LLM_API_KEY: "the-real-key", LLM_MODEL: MODEL };
  const log = createLogger({ service: "test", level: "silent" });
  const router = createRouter(resolveBackends(settings, {}));
  const gateway = createGateway(router, { model: MODEL, maxTokens: 500, log });
  const issued = gateway.issue({
    ids: { featureId: "feature-1", taskId: "task-1", attempt: 1 },
    limits: DEFAULT_LIMITS,
    role: "work",
    expiresAt: performance.now() + 600_000,
    budget: UNLIMITED_BUDGET,
  });
  ({ key } = issued);
  for (const name of ["full", "thin", "resolve"]) writeFileSync(join(dir, name), `the ${name} bundle`);
  const task = taskSchema.parse({
    id: "task-1",
    featureId: "feature-1",
    featureSlug: "feature",
    key: "work",
    kind: "build",
    title: "Work",
    description: "Work",
    priority: 5,
    limits: DEFAULT_LIMITS,
  });
  const assignment: Assignment = {
    task,
    attempt: 1,
    baseCommit: "a".repeat(40),
    swarmKey: "feature/work/work",
    checks: [],
    model: MODEL,
    gatewayKey: key,
    maxTokens: 500,
    temperature: 0,
  };
  door = serveDoor({
    assignment,
    files: {
      full: join(dir, "full"),
      thin: join(dir, "thin"),
      resolve: join(dir, "resolve"),
      result: join(dir, "result"),
    },
    transcript: { append: async (lines) => void transcript.push(lines.toString()) },
    gateway,
    memory: openDoorMemory({ bytes: 64 * CHUNK.length, doors: 1 }),
    key: issued,
    notes,
    onRequest: () => void (requests += 1),
    onCall: () => () => undefined,
    onProgress: (one) => progress.push(one),
    questions: { ask: async ({ question }) => ({ kind: "answered", text: `${question}: yes` }) },
  });
  const server = http2.createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    door.handler(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  stack.defer(() => {
    session.destroy();
    server.close();
  });
});
afterAll(async () => {
  await stack.disposeAsync();
  rmSync(dir, { recursive: true });
});

async function ask(
  { method, path }: Pick<DoorRoute, "method" | "path">,
  body?: Readable | string,
): Promise<{ status: number; text: string }> {
  const headers = { ":method": method, ":path": path, authorization: `Bearer ${key}` };
  const stream = session.request(headers, { endStream: body === undefined });
  stream.on("error", () => undefined);
  if (typeof body === "string") stream.end(body);
  else body?.pipe(stream);
  const [answered] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(stream, "end");
  return { status: Number(answered[":status"]), text };
}

const SMALL_BODY: Partial<Record<DoorRouteName, string>> = {
  heard: '{"noteId":"said","turn":1}',
  progress: '{"turn":1,"text":"one"}\n{"turn":2,"text":"too soon"}\n',
  transcript: '{"type":"message"}\n',
  question: '{"question":"Now?"}',
  commits: "a bundle",
  result: "not json",
  chatCompletions: JSON.stringify({ model: MODEL, messages: [] }),
};

const note = (id: string) =>
  ({ id, by: "ada", via: "rest", at: 1, text: "Mind the tests", mode: "steer", answers: null }) as const;

test("every route of the table is served", async () => {
  notes.add([note("said")]);
  const answers = new Map<DoorRouteName, string>();
  for (const name of names) {
    const path: `/${string}` = name === "inbox" ? "/inbox?after=0" : DOOR[name].path;
    const { status, text } = await ask({ ...DOOR[name], path }, SMALL_BODY[name]);
    expect({ name, status }).toEqual({ name, status: text === "" ? 204 : 200 });
    answers.set(name, text);
  }
  expect(DOOR.task.answer.parse(JSON.parse(answers.get("task") ?? ""))).toMatchObject({ gatewayKey: key });
  expect(DOOR.inbox.answer.parse(JSON.parse(answers.get("inbox") ?? ""))).toMatchObject({ upTo: 1 });
  expect(notes.heard()).toEqual([{ noteId: "said", turn: 1 }]);
  expect(answers.get("resolveBundle")).toBe("the resolve bundle");
  expect(answers.get("question")).toBe('{"kind":"answered","text":"Now?: yes"}');
  expect(progress).toEqual([{ turn: 1, text: "one" }]);
  expect(transcript).toEqual(['{"type":"message"}\n']);
  expect(readFileSync(join(dir, "result"), "utf8")).toBe("a bundle");
  await door.finished;
  expect(door.result()).toBeNull();
});

test.each([
  ["GET", "/"],
  ["GET", "/bundle"],
  ["GET", "/bundle/full/../../etc/passwd"],
  ["POST", "/task"],
  ["POST", "/v1/embeddings"],
  ["POST", "/v1/chat/completions?x=1"],
] as const)("%s %s is answered 404", async (method, path) => {
  expect((await ask({ method, path })).status).toBe(404);
});

const tooMuch = (maxBytes: number) =>
  Readable.from(Array.from({ length: Math.ceil(maxBytes / CHUNK.length) + 1 }, () => CHUNK));

test.each(["progress", "transcript", "question", "result", "chatCompletions"] as const)(
  "%s: a body above the limit is refused",
  async (name) => {
    const { maxBytes } = DOOR[name].body;
    const { status, text } = await ask(DOOR[name], tooMuch(maxBytes));
    expect(status).toBe(413);
    expect(text).toContain(`longer than ${maxBytes} bytes`);
  },
);

test.each(["not json", "{}", '{"question":" "}', '{"question":7}', '{"question":"a","options":"b"}'])(
  "%s is no question",
  async (body) => {
    const { status, text } = await ask(DOOR.question, body);
    expect(status).toBe(400);
    expect(text).toContain("not a question");
  },
);

test("a bundle of commits above the limit is refused, and replaces the one before", async () => {
  expect((await ask(DOOR.commits, "a bundle")).status).toBe(204);
  expect(door.hasBundle()).toBe(true);
  expect((await ask(DOOR.commits, tooMuch(DOOR.commits.body.maxBytes))).status).toBe(413);
  expect(door.hasBundle()).toBe(false);
});

test("a request that waits for notes is no sign of life, and ends without notes", async () => {
  const before = requests;
  expect((await ask({ method: "GET", path: "/inbox?after=1" })).status).toBe(204);
  expect(requests).toBe(before);
  await ask(DOOR.progress, "{}");
  expect(requests).toBe(before + 1);
});

test.each(["/inbox", "/inbox?after=-1", "/inbox?after=x"] as const)("GET %s is refused", async (path) => {
  expect((await ask({ method: "GET", path })).status).toBe(400);
});

test("a note that nobody said cannot be heard", async () => {
  for (const body of ['{"noteId":"made-up","turn":1}', '{"noteId":"said"}', "no json"])
    expect((await ask(DOOR.heard, body)).status).toBe(400);
  expect(notes.heard()).toHaveLength(1);
});
