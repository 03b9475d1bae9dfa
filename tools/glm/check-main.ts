import { Fault } from "@agentswarm/contracts";
import { resolveBackends } from "@agentswarm/llm";
import { checkEndpoint, speedOf, type EndpointReport } from "./check-endpoint.ts";

const NOT_CHECKED = 2;
const HELP = `npm run check:model: asks the model's server what agents will ask it, and says how fast it answers

It asks every backend that the settings name: LLM_BASE_URL and LLM_API_KEY, RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY,
MODAL_GLM_URL, or LLM_BACKENDS; LLM_MODEL is glm-5 by default.
A server that scales to zero may take many minutes to load.

Exit code 0 when agents can work with it, 1 when something is in their way, 2 when nothing was tried.
`;

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  // A blank setting counts as none, as it does for the services.
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value?.trim() !== ""));
  try {
    const backends = resolveBackends({ ...given, LLM_MODEL: given["LLM_MODEL"] ?? "glm-5" }, given);
    let problems = 0;
    for (const backend of backends) {
      process.stdout.write(`${backend.model} at ${backend.name} (${backend.baseUrl})\n`);
      const report = await checkEndpoint(backend);
      process.stdout.write(wordsFor(report));
      problems += report.problems.length;
    }
    return problems === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`NOTHING WAS CHECKED: ${Fault.from(error).message}\n\n${HELP}`);
    return NOT_CHECKED;
  }
}

function wordsFor({ models, answer, problems }: EndpointReport): string {
  const lines = [`models        ${models?.join(", ") ?? "not listed"}`];
  if (answer !== null) {
    const speed = speedOf(answer);
    lines.push(`first token   ${Math.round(answer.firstTokenMs)} ms`);
    lines.push(
      `speed         ${speed === null ? "too short to tell" : `${speed.toFixed(1)} tokens/s`} (${answer.completionTokens ?? "?"} tokens)`,
    );
    lines.push(
      `tool call     ${answer.toolCall === null ? "none" : `${answer.toolCall.name} ${answer.toolCall.args}`}`,
    );
  }
  lines.push(...problems.map((problem) => `PROBLEM       ${problem}`));
  if (problems.length === 0) lines.push("Agents can work with it.");
  return `${lines.join("\n")}\n`;
}

process.exitCode = await main();
