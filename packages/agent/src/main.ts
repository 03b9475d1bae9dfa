import { assignmentSchema, DOOR, NO_METRICS, NO_NOTES, type AgentResult } from "@agentswarm/contracts";
import { runAttempt } from "./attempt.ts";
import { connectDoor } from "./door.ts";
import { prepare } from "./prepare.ts";

// Stdout is the door; whatever a library prints must not get into it.
console.log = console.error;
console.info = console.error;
process.env["PI_OFFLINE"] = "1";

const door = connectDoor();

function broken(error: unknown): AgentResult {
  return {
    outcome: "failed",
    end: "lost",
    reason: `the runner failed: ${error instanceof Error ? error.message : String(error)}`,
    summary: "",
    ...NO_NOTES,
    metrics: NO_METRICS,
    headCommit: null,
  };
}

async function work(): Promise<AgentResult> {
  const workDir = process.cwd();
  const prepared = await prepare(door, workDir);
  // Whoever asks for a task is ready for it; it may take a while until there is one.
  const assignment = assignmentSchema.parse(await door.getJson(DOOR.task));
  return runAttempt(door, assignment, prepared, workDir);
}

const result = await work().catch(broken);
await door.send(DOOR.result, JSON.stringify(result));
door.close();
process.exit(0);
