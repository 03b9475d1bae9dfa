import { parseArgs } from "node:util";
import { parseEnv } from "@agentswarm/service";
import { doctorSettings } from "./config.ts";
import { examineModel } from "./examine-model.ts";
import { examineOrigin } from "./examine-origin.ts";
import { examineGit, examineNode, examineSearchTools } from "./examine-programs.ts";
import { examineRedis } from "./examine-redis.ts";
import { examineSandbox } from "./examine-sandbox.ts";
import { formatFindings } from "./finding.ts";

const HELP = `swarm doctor: examines this machine for what the swarm needs, and says how to fix what is missing

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
  const settings = parseEnv(doctorSettings, env);
  const findings = [
    examineNode(),
    examineGit(),
    // With another provider they come with the sandbox's image.
    ...(settings.SANDBOX_PROVIDER === "local" ? examineSearchTools(settings.SWARM_TOOLS) : []),
    await examineRedis(settings),
    await examineSandbox(settings, env),
    ...(await examineModel(env)),
    await examineOrigin(settings),
  ];
  const healthy = findings.every((finding) => finding.state !== "fail");
  process.stdout.write(
    values.json ? `${JSON.stringify({ ok: healthy, findings })}\n` : formatFindings(findings),
  );
  return healthy ? 0 : 1;
}

process.exitCode = await main();
