import { join } from "node:path";
import { openDoor, type DoorHandler, type Sandbox, type SandboxProcess } from "@agentswarm/sandbox";
import { openTail } from "@agentswarm/sandbox/streams";

/** The agent's process in a sandbox of its own. It loads what it needs, asks for its task, and waits for the answer. */
export interface StartedAgent {
  readonly sandbox: Sandbox;
  readonly child: SandboxProcess;
  /** Resolves when the process has ended or its door is closed. */
  readonly gone: Promise<void>;
  /** Resolves at the first request: everything is loaded. */
  readonly asked: Promise<void>;
  /** Serves its door for one attempt: the requests that wait, and every later one. */
  serve(handler: DoorHandler): void;
  /** The end of its stderr. */
  stderrTail(): string;
  /** Kills the process, which closes the door. Resolves when it has ended; the sandbox remains. */
  stop(): Promise<void>;
}

/** Where the agent's one file is seen in the sandbox. */
export const AGENT_AT = "agent.mjs";

const STDERR_CHARS = 4_000;
/** An agent sends one request before it has its task. A process that sends more than this is killed. */
const MAX_WAITING_REQUESTS = 8;

export function startAgent(sandbox: Sandbox): StartedAgent {
  const child = sandbox.exec(["node", join(sandbox.workDir, AGENT_AT)]);
  const tail = openTail(STDERR_CHARS);
  child.stderr.on("data", (chunk: Buffer) => tail.add(chunk.toString()));
  const asked = Promise.withResolvers<void>();
  const waiting: Parameters<DoorHandler>[] = [];
  let serving: DoorHandler | undefined;
  const door = openDoor(child, (stream, headers) => {
    asked.resolve();
    if (serving !== undefined) serving(stream, headers);
    else if (waiting.length < MAX_WAITING_REQUESTS) waiting.push([stream, headers]);
    else child.kill();
  });
  return {
    sandbox,
    child,
    gone: door.closed,
    asked: asked.promise,
    serve(handler) {
      serving = handler;
      for (const [stream, headers] of waiting.splice(0)) handler(stream, headers);
    },
    stderrTail: tail.text,
    async stop() {
      door.close();
      child.kill();
      await child.exit;
    },
  };
}
