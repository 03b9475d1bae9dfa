import { join } from "node:path";
import { openDoor, type DoorHandler, type Sandbox, type SandboxProcess } from "@agentswarm/sandbox";

/** The agent's process in a sandbox of its own. It loads what it needs and asks for its task; then it waits. */
export interface StartedAgent {
  readonly sandbox: Sandbox;
  readonly child: SandboxProcess;
  /** Resolves when there is nobody left to work: the process has ended or its door is shut. */
  readonly gone: Promise<void>;
  /** Resolves when it has asked for something: all that it needs is loaded. */
  readonly asked: Promise<void>;
  /** Gives it to one attempt: this answers what it has asked already and whatever it asks from now on. */
  serve(handler: DoorHandler): void;
  /** The end of what it printed. */
  stderrTail(): string;
  /** Kills the process, which shuts the door. Resolves when it has ended; the sandbox stays. */
  stop(): Promise<void>;
}

/** Where the agent's one file is seen inside. */
export const AGENT_AT = "agent.mjs";

const STDERR_CHARS = 4_000;
/** Before it has its task an agent asks one thing; who asks more is no agent. */
const MOST_HELD = 8;

export function startAgent(sandbox: Sandbox): StartedAgent {
  const child = sandbox.exec(["node", join(sandbox.workDir, AGENT_AT)]);
  const stderrTail = keepTail(child.stderr);
  const asked = Promise.withResolvers<void>();
  const held: Parameters<DoorHandler>[] = [];
  let serving: DoorHandler | undefined;
  const door = openDoor(child, (stream, headers) => {
    asked.resolve();
    if (serving !== undefined) serving(stream, headers);
    else if (held.length < MOST_HELD) held.push([stream, headers]);
    else child.kill();
  });
  return {
    sandbox,
    child,
    gone: door.closed,
    asked: asked.promise,
    serve(handler) {
      serving = handler;
      for (const [stream, headers] of held.splice(0)) handler(stream, headers);
    },
    stderrTail,
    async stop() {
      door.close();
      child.kill();
      await child.exit;
    },
  };
}

function keepTail(stream: NodeJS.ReadableStream): () => string {
  let tail = "";
  stream.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-STDERR_CHARS);
  });
  return () => tail;
}
