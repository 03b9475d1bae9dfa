import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { buildAgent } from "@agentswarm/agent";
import { jobId } from "@agentswarm/contracts";
import { jobBody } from "@agentswarm/queue";
import { startReplay } from "@agentswarm/replay";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { openSwarm } from "../../testing/open-swarm.ts";

const SCENARIO = `
- key: feature/hello/work
  steps:
    - calls: [{ tool: write, args: { path: hello.txt, content: "hello\\n" } }]
    - say: Says hello
`;
const TEMPLATE = `
name: mine
argv: [node, "{{agentDir}}/command-agent.mjs"]
stdin: "{{prompt}}"
output: jsonl
env: { OPENAI_BASE_URL: "{{baseUrl}}", OPENAI_API_KEY: "{{apiKey}}", OPENAI_MODEL: "{{model}}" }
`;

const dir = mkdtempSync(join(tmpdir(), "swarm-command-agent-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("an agent program of one's own needs settings only: its metered work goes to the merger", async () => {
  writeFileSync(join(dir, "scenario.yaml"), SCENARIO);
  writeFileSync(join(dir, "mine.template"), TEMPLATE);
  const agentFile = await buildAgent(join(dir, "agent", "agent.mjs"));
  await using replay = await startReplay({ scenarioDir: dir });
  await using swarm = await openSwarm(replay.url);
  await using _dispatcher = await swarm.dispatcher({
    AGENT_FILE: agentFile,
    LLM_MODEL: "recorded",
    AGENT_RUNTIME: "command",
    AGENT_TEMPLATE: join(dir, "mine.template"),
    AGENT_COMMAND_DIR: fileURLToPath(new URL("../../../../test/support/command-agent", import.meta.url)),
  });
  const task = await swarm.submit("Work on hello", { key: "hello" });
  const request = await waitUntil("the merge request", 40_000, () =>
    jobBody(swarm.connection, "merge", jobId.merge(task.id, 1)),
  );
  expect(request.handoff).toMatchObject({
    outcome: "complete",
    end: "submitted",
    summary: "Says hello",
    filesChanged: ["hello.txt"],
    checks: [{ name: "true", exitCode: 0 }],
    metrics: { turns: 2, toolCalls: 1, linesAdded: 1, filesCreated: 1 },
  });
  expect(request.handoff.metrics.tokensIn).toBeGreaterThan(0);
});
