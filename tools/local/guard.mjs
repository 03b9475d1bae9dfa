// `node guard.mjs <command> [arguments]`: runs a program that does not watch its supervisor, and ends it when the
// supervisor has died, which closes the IPC channel.
import { spawn } from "node:child_process";

const child = spawn(process.argv[2], process.argv.slice(3), { stdio: ["ignore", "inherit", "inherit"] });
process.send?.({ pid: child.pid });
process.on("disconnect", () => child.kill("SIGTERM"));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  process.stderr.write(`${process.argv[2]}: ${error.message}\n`);
  process.exit(127);
});
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
