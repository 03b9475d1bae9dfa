import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { personRoleSchema } from "@agentswarm/contracts";
import { parseEnv } from "@agentswarm/service";
import { openKeyRing } from "./auth/keys.ts";
import { settings } from "./config.ts";

const HELP = `api keys: who may use the API

  create [--role <role>] [--days <n>]   make a key and print it, this once
  list                                  ids, roles and ends of all keys
  revoke <id>                           take a key back

roles, each with what the ones before it may do:
  viewer     reads                      submitter  submits features and takes back its own; the default
  reviewer   decides what lands         operator   acts on everybody's features, tasks and jobs
  admin      makes and revokes keys
`;
const DAY_MS = 24 * 3_600 * 1_000;

/** A wrong option ends the command: a key with too long a life or too wide a role is worse than none. */
function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      role: { type: "string", default: "submitter" },
      days: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const options = z.object({ role: personRoleSchema, days: z.coerce.number().positive().optional() });
  return { ...options.parse(values), help: values.help ?? false, positionals };
}

let given: ReturnType<typeof readArguments>;
try {
  given = readArguments();
} catch (error) {
  const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
  process.stderr.write(`${why}\n\n${HELP}`);
  process.exit(2);
}
const { role, days, help, positionals } = given;
const { SWARM_HOME, API_KEYS_FILE } = parseEnv(settings, process.env);
const file = API_KEYS_FILE ?? join(SWARM_HOME, "api-keys.json");
await mkdir(dirname(file), { recursive: true });
const ring = openKeyRing(file);
const [command, id] = positionals[0] === "keys" ? positionals.slice(1) : positionals;

if (command === "create") {
  const expiresAt = days === undefined ? null : Math.ceil(Date.now() + days * DAY_MS);
  process.stdout.write(`${await ring.create(role, expiresAt)}\n`);
} else if (command === "list") {
  for (const key of await ring.list()) {
    const end = key.expiresAt === null ? "never expires" : `expires ${new Date(key.expiresAt).toISOString()}`;
    process.stdout.write(`${key.id}  ${key.role}  ${end}\n`);
  }
} else if (command === "revoke" && id !== undefined) {
  process.exitCode = (await ring.revoke(id)) ? 0 : 1;
} else {
  process.stdout.write(HELP);
  process.exitCode = help ? 0 : 2;
}
