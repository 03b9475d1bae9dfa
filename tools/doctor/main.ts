import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { examineModel } from "./examine-model.ts";
import { examineOrigin } from "./examine-origin.ts";
import { examineGit, examineNode, examineSearchTools } from "./examine-programs.ts";
import { examineRedis } from "./examine-redis.ts";
import { examineSandbox } from "./examine-sandbox.ts";
import { formatFindings } from "./finding.ts";

const HELP = `swarm doctor: shows what the swarm would find on this machine, and how to mend what is missing

  --json   one JSON line
  --help   this text

Exit code 0 when nothing fails, 1 otherwise. Warnings do not fail.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { env } = process;
  const home = resolve(env["SWARM_HOME"] ?? ".swarm");
  const findings = [
    examineNode(),
    examineGit(),
    // Elsewhere they come with the image of the sandbox.
    ...((env["SANDBOX_PROVIDER"] || "local") === "local" ? examineSearchTools(env["SWARM_TOOLS"]) : []),
    await examineRedis(env),
    await examineSandbox(env, home),
    ...(await examineModel(env)),
    await examineOrigin(env, home),
  ];
  const healthy = findings.every((finding) => finding.state !== "fail");
  process.stdout.write(
    values.json ? `${JSON.stringify({ ok: healthy, findings })}\n` : formatFindings(findings),
  );
  return healthy ? 0 : 1;
}

process.exitCode = await main();
