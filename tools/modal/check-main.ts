import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const NOT_CHECKED = 2;
const HELP = `npm run check:modal: the contract of sandboxes, tried against Modal itself with your token

It needs MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, in .env or the environment. It opens about twenty sandboxes of the app
that MODAL_APP names, for a few minutes in all, which costs some cents.

Exit code 0 when all holds, 1 when something does not, 2 when nothing was tried.
`;

function main(): number {
  if (process.argv.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  const missing = ["MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"].filter((name) => !process.env[name]);
  if (missing.length > 0) {
    process.stderr.write(`NOTHING WAS CHECKED: ${missing.join(" and ")} must be set.\n\n${HELP}`);
    return NOT_CHECKED;
  }
  const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
  const config = join(import.meta.dirname, "vitest.config.ts");
  const { status } = spawnSync(process.execPath, [vitest, "run", "--config", config], { stdio: "inherit" });
  return status === 0 ? 0 : 1;
}

process.exitCode = main();
