import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asFault } from "@agentswarm/contracts";
import { parseEnv } from "@agentswarm/service";
import { backupSettings } from "./config.ts";
import { restoreSwarm } from "./restore-swarm.ts";
import { saveSwarm } from "./save-swarm.ts";

const HELP = `backup: the whole state of a swarm as one tar archive

  save      writes the archive to stdout, while the swarm runs
  restore   reads it from stdin into empty volumes, while the swarm is down

  docker compose run --rm -T backup save > swarm.tar
  docker compose run --rm -T backup restore < swarm.tar
`;

const [command] = process.argv.slice(2);
const work = await mkdtemp(join(tmpdir(), "swarm-backup-"));
try {
  if (command === "save") await saveSwarm(work, parseEnv(backupSettings, process.env));
  else if (command === "restore") await restoreSwarm(work);
  else {
    process.stderr.write(HELP);
    process.exitCode = 2;
  }
} catch (error) {
  process.stderr.write(`backup: ${asFault(error).message}\n`);
  process.exitCode = 1;
} finally {
  await rm(work, { recursive: true, force: true });
}
