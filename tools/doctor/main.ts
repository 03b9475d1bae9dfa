import { parseArgs } from "node:util";
import { parseEnv } from "@agentswarm/service";
import { doctorSettings } from "./config.ts";
import { examine } from "./examine.ts";
import { formatFindings } from "./finding.ts";

const HELP = `swarm doctor: examines this machine for what the swarm needs, and says how to fix what is missing

It asks Redis, starts a program in a sandbox, asks each backend for its list of models (and for one token where the list
does not name the model), fetches the newest commit of the target, tries a push without pushing (--dry-run), and shows
how much is kept on this machine and for how long.

  --deep   also asks each backend for one token, installs the target's dependencies, and runs its checks once in a
           sandbox; takes as long as they take
  --json   one JSON line
  --help   this text

Exit code 0 when nothing fails, 1 otherwise. Warnings do not fail.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      deep: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean" },
      // Given by tools/bootstrap/swarm.mjs: the programs that npm start would unpack.
      unpacks: { type: "string", default: "" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const findings = await examine(parseEnv(doctorSettings, process.env), process.env, {
    isDeep: values.deep ?? false,
    unpacks: new Set(values.unpacks.split(",")),
  });
  const healthy = findings.every((finding) => finding.state !== "fail");
  process.stdout.write(
    values.json ? `${JSON.stringify({ ok: healthy, findings })}\n` : formatFindings(findings),
  );
  if (!values.json && !values.deep)
    process.stdout.write("swarm doctor --deep also tries the dependencies and the checks of the target.\n");
  return healthy ? 0 : 1;
}

process.exitCode = await main();
