import { assignmentSchema, DOOR, NO_METRICS, NO_NOTES, type AgentResult } from "@agentswarm/contracts";
import { connectDoor } from "./door-client.ts";
import { prepareAttempt } from "./prepare-attempt.ts";
import { runAssignment } from "./run-assignment.ts";

// Stdout is the door: output of a library there would break the protocol.
console.log = console.error;
console.info = console.error;
process.env["PI_OFFLINE"] = "1";

const door = connectDoor();

function runnerFailed(error: unknown): AgentResult {
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

async function run(): Promise<AgentResult> {
  const workDir = process.cwd();
  const prepared = await prepareAttempt(door, workDir);
  // This request tells the dispatcher that the agent is ready. The answer may take long: it waits for a task.
  const assignment = assignmentSchema.parse(await door.getJson(DOOR.task));
  return runAssignment(door, assignment, prepared, workDir);
}

const result = await run().catch(runnerFailed);
await door.send(DOOR.result, JSON.stringify(result));
door.close();
process.exit(0);
