/**
 * The program of the h2 test: a dispatcher's doors on TCP connections. Says its memory on request. Its arguments: the
 * bytes that all doors may hold together, and the number of doors.
 */
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, taskSchema } from "@agentswarm/contracts";
import { createRouter, resolveBackends } from "@agentswarm/llm";
import { openDoor, type SandboxProcess } from "@agentswarm/sandbox";
import { createLogger } from "@agentswarm/service";
import { openDoorMemory } from "../../services/dispatcher/src/door-memory.ts";
import { createGateway } from "../../services/dispatcher/src/gateway/gateway.ts";
import { openNoteBox } from "../../services/dispatcher/src/note-box.ts";
import { serveDoor } from "../../services/dispatcher/src/serve-door.ts";
import { openTranscript } from "../../services/dispatcher/src/transcript.ts";
import { json, startBackend, USAGE } from "../support/scripted-backend.ts";
import { UNLIMITED_BUDGET } from "../support/unlimited-budget.ts";

const MODEL = "glm-5";
const dir = mkdtempSync(join(tmpdir(), "swarm-two-doors-"));
const message = { role: "assistant", content: "hi" };
const answer = { choices: [{ message, finish_reason: "stop" }], usage: USAGE };
const backend = await startBackend(json(200, answer));
const router = createRouter(
  resolveBackends({ LLM_BASE_URL: backend.baseUrl, LLM_API_KEY: "the-real-key", LLM_MODEL: MODEL }, {}),
);
const log = createLogger({ service: "test", level: "silent" });
const gateway = createGateway(router, { model: MODEL, maxTokens: 500, log });

const [bytes, doorsAtMost] = process.argv.slice(2).map(Number);
const memory = openDoorMemory({ bytes: bytes ?? Number.NaN, doors: doorsAtMost ?? 1 });

async function open(socket: Socket, name: string): Promise<void> {
  const key = gateway.issue({
    ids: { featureId: "feature-1", taskId: name, attempt: 1 },
    limits: DEFAULT_LIMITS,
    role: "work",
    expiresAt: Date.now() + 600_000,
    budget: UNLIMITED_BUDGET,
  });
  const door = serveDoor({
    assignment: {
      task: taskSchema.parse({
        id: name,
        featureId: "feature-1",
        featureSlug: "feature",
        key: "work",
        kind: "build",
        title: "Work",
        description: "Work",
        priority: 5,
        limits: DEFAULT_LIMITS,
      }),
      attempt: 1,
      baseCommit: "a".repeat(40),
      swarmKey: "feature/work/work",
      checks: [],
      model: MODEL,
      gatewayKey: key.key,
      maxTokens: 500,
      temperature: 0,
    },
    files: { full: join(dir, "full"), thin: null, resolve: null, result: join(dir, name) },
    transcript: await openTranscript(join(dir, `${name}.jsonl`), () => undefined),
    gateway,
    memory,
    key,
    notes: openNoteBox({ before: [] }),
    onRequest: () => undefined,
    onCall: () => () => undefined,
    onProgress: () => undefined,
    questions: { ask: async () => ({ kind: "parked" }) },
  });
  const { promise: exit } = Promise.withResolvers<never>();
  const child = { stdin: socket, stdout: socket, exit } as unknown as SandboxProcess;
  openDoor(child, door.handler);
  void door.finished.then(() => process.send?.({ ended: name, why: door.exceeded() }));
}

let doors = 0;
// Without a delay, as the pipes of a sandbox.
const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => undefined);
  doors += 1;
  void open(socket, `task-${doors}`);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
let peak = 0;
setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
process.on("message", () => process.send?.({ peak }));
process.send?.({ port: (server.address() as AddressInfo).port });
