import { z } from "zod";
import { asFault } from "@agentswarm/contracts";
import { modelSettings, resolveBackends } from "@agentswarm/llm";
import { parseEnv } from "@agentswarm/service";
import { checkEndpoint, speedOf, type EndpointReport } from "./check-endpoint.ts";

const NOT_CHECKED = 2;
const HELP = `npm run check:model: sends the model's server the requests that agents send, and measures how fast it answers

It tries every backend that the settings name: LLM_BASE_URL and LLM_API_KEY, RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY,
MODAL_GLM_URL, or LLM_BACKENDS; LLM_MODEL is glm-5 by default.
A server that scales to zero may take many minutes to load.

Exit code 0 when agents can work with every backend, 1 when they cannot, 2 when none was tried.
`;

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  const { env } = process;
  try {
    const backends = resolveBackends(parseEnv(z.object(modelSettings), env), env);
    let problems = 0;
    for (const backend of backends) {
      process.stdout.write(`${backend.model} at ${backend.name} (${backend.baseUrl})\n`);
      const report = await checkEndpoint(backend);
      process.stdout.write(formatReport(report));
      problems += report.problems.length;
    }
    return problems === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`NOTHING WAS CHECKED: ${asFault(error).message}\n\n${HELP}`);
    return NOT_CHECKED;
  }
}

function formatReport({ models, answer, problems }: EndpointReport): string {
  const lines = [`models        ${models?.join(", ") ?? "not listed"}`];
  if (answer !== null) {
    const speed = speedOf(answer);
    lines.push(`first token   ${Math.round(answer.firstTokenMs)} ms`);
    lines.push(
      `speed         ${speed === null ? "answer too short to measure" : `${speed.toFixed(1)} tokens/s`} (${answer.completionTokens ?? "?"} tokens)`,
    );
    lines.push(
      `tool call     ${answer.toolCall === null ? "none" : `${answer.toolCall.name} ${answer.toolCall.args}`}`,
    );
  }
  lines.push(...problems.map((problem) => `PROBLEM       ${problem}`));
  if (problems.length === 0) lines.push("Agents can work with this backend.");
  return `${lines.join("\n")}\n`;
}

process.exitCode = await main();
