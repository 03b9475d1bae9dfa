import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { Fault, keyNameSchema, personRoleSchema, ROTATION_OVERLAP_HOURS } from "@agentswarm/contracts";
import { parseEnv } from "@agentswarm/service";
import { openKeyRing } from "./auth/key-ring.ts";
import { addKey, revokeKey, rotateKey, summaryOf } from "./auth/keys.ts";
import { settings } from "./config.ts";

const HELP = `api keys: who may use the API. Works on the file with the keys, while the api runs or not

  create [--role <role>] [--name <name>] [--days <n>]     make a key and print it, this once
  list                                                    ids, names, roles and ends of all keys
  rotate <id|name> [--overlap-hours <n>] [--days <n>]     give a key a new secret and print it, this once; the one
                                                          before is accepted for ${ROTATION_OVERLAP_HOURS} hours, or for n
  revoke <id|name>                                        take a key back

roles, each with what the ones before it may do:
  viewer     reads                      submitter  submits features and takes back its own; the default
  reviewer   decides what lands         operator   acts on everybody's features, tasks and jobs
  admin      makes and revokes keys
`;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A wrong option ends the command: a key with too long a life or too wide a role is worse than none. */
function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      role: { type: "string", default: "submitter" },
      name: { type: "string" },
      days: { type: "string" },
      "overlap-hours": { type: "string", default: String(ROTATION_OVERLAP_HOURS) },
      help: { type: "boolean" },
    },
  });
  const options = z.object({
    role: personRoleSchema,
    name: keyNameSchema.optional(),
    days: z.coerce.number().positive().optional(),
    "overlap-hours": z.coerce.number().min(0),
  });
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
const { role, name, days, help, positionals } = given;
const { SWARM_HOME, API_KEYS_FILE } = parseEnv(settings, process.env);
const file = API_KEYS_FILE ?? join(SWARM_HOME, "api-keys.json");
await mkdir(dirname(file), { recursive: true });
const ring = openKeyRing(file);
const [command, which = ""] = positionals[0] === "keys" ? positionals.slice(1) : positionals;

/** Undefined without --days. */
const endAfter = (now: number) => (days === undefined ? undefined : Math.ceil(now + days * DAY_MS));

const COMMANDS: Readonly<Record<string, () => Promise<string>>> = {
  async create() {
    const made = await ring.change((keys, now) =>
      addKey(keys, { role, name, expiresAt: endAfter(now) ?? null }, now),
    );
    return `${made.text}\n`;
  },
  async list() {
    const now = Date.now();
    const lines = (await ring.list()).map((key) => {
      const { id, expiresAt, expired, formerUntil } = summaryOf(key, now);
      const end =
        expiresAt === null
          ? "never expires"
          : `${expired ? "expired" : "expires"} ${new Date(expiresAt).toISOString()}`;
      const former =
        formerUntil === null ? "" : `  former secret until ${new Date(formerUntil).toISOString()}`;
      return `${id}  ${key.role}  ${key.name ?? "–"}  ${end}${former}\n`;
    });
    return lines.join("");
  },
  async rotate() {
    const overlapMs = given["overlap-hours"] * HOUR_MS;
    const made = await ring.change((keys, now) =>
      rotateKey(keys, which, { overlapMs, expiresAt: endAfter(now) }, now),
    );
    return `${made.text}\n`;
  },
  async revoke() {
    await ring.change((keys) => revokeKey(keys, which));
    return "";
  },
};

const run = COMMANDS[command ?? ""];
if (run === undefined || ((command === "rotate" || command === "revoke") && which === "")) {
  process.stdout.write(HELP);
  process.exitCode = help ? 0 : 2;
} else {
  try {
    process.stdout.write(await run());
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
