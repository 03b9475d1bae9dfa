import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { asFault } from "@agentswarm/contracts";
import { parseEnv } from "@agentswarm/service";

const NOT_CHECKED = 2;
const HELP = `npm run check:modal: runs the contract tests of sandboxes against Modal itself, with your token

It needs MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, in .env or the environment. It opens about twenty sandboxes of the app
that MODAL_APP names, for a few minutes in all, which costs some cents.

Exit code 0 when every test passes, 1 when one fails, 2 when none was run.
`;
const settings = z.object({
  MODAL_TOKEN_ID: z.string({ error: "set it to the first half of your token" }),
  MODAL_TOKEN_SECRET: z.string({ error: "set it to the second half of your token" }),
});

function main(): number {
  if (process.argv.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    parseEnv(settings, process.env);
  } catch (error) {
    process.stderr.write(`NOTHING WAS CHECKED: ${asFault(error).message}\n\n${HELP}`);
    return NOT_CHECKED;
  }
  const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
  const config = join(import.meta.dirname, "vitest.config.ts");
  const { status } = spawnSync(process.execPath, [vitest, "run", "--config", config], { stdio: "inherit" });
  return status === 0 ? 0 : 1;
}

process.exitCode = main();
