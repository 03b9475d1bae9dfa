import { Option } from "commander";
import {
  PERSON_ROLES,
  plainText,
  type IssuedKey,
  type KeySummary,
  type PersonRole,
} from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";
import { parseNumber } from "../parse-number.ts";

interface Options {
  readonly role: PersonRole;
  readonly name?: string;
  readonly days?: number;
  readonly overlapHours?: number;
  readonly json?: boolean;
}

const KEPT_NOWHERE = "It is shown this once.";

export const addKeys: CliCommand = (program, { client, err, print }) => {
  /** The key alone goes to the output, so that a script can take it. */
  const printIssued = (json: boolean | undefined, issued: IssuedKey, what: string) => {
    if (!json) err.write(`${what} ${KEPT_NOWHERE}\n`);
    print(json, issued, issued.key);
  };
  const keys = program.command("keys").description("API keys: who may do what; for admins");
  keys
    .command("list", { isDefault: true })
    .description("all keys, without their secrets")
    .option("--json", "print JSON")
    .action(async ({ json }: Options) => {
      const answer = await client.listKeys();
      print(json, answer, formatKeys(answer.keys));
    });
  keys
    .command("create")
    .description("make a key and print it")
    .addOption(
      new Option("--role <role>", "what its owner may do").choices(PERSON_ROLES).default("submitter"),
    )
    .option("--name <name>", "its owner, shown with whatever is done by the key")
    .option("--days <n>", "expire after so many days", parseNumber)
    .option("--json", "print JSON")
    .action(async ({ role, name, days, json }: Options) => {
      const issued = await client.createKey({ body: { role, name, days } });
      printIssued(json, issued, `This is the key of ${nameOf(issued)}, ${role}.`);
    });
  keys
    .command("rotate <key>")
    .description("give a key, by its id or name, a new secret and print it")
    .option(
      "--overlap-hours <n>",
      "how long the one before is accepted; 0: not at all (default: 24)",
      parseNumber,
    )
    .option("--days <n>", "expire after so many days; by default as before", parseNumber)
    .option("--json", "print JSON")
    .action(async (id: string, { overlapHours, days, json }: Options) => {
      const issued = await client.rotateKey({ params: { id }, body: { overlapHours, days } });
      const { formerUntil } = issued;
      const former =
        formerUntil === null
          ? "The one before is refused from now on."
          : `The one before is accepted until ${new Date(formerUntil).toISOString()}.`;
      printIssued(json, issued, `This is the new key of ${nameOf(issued)}. ${former}`);
    });
  keys
    .command("revoke <key>")
    .description("take a key back, by its id or name")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: Options) => {
      const revoked = await client.revokeKey({ params: { id } });
      print(json, revoked, `keys revoke: ${revoked.id} ${revoked.name ?? ""}`.trimEnd());
    });
};

function nameOf({ id, name }: KeySummary): string {
  return name ?? id;
}

function formatKeys(keys: readonly KeySummary[]): string {
  if (keys.length === 0) return "no keys: everybody who reaches the api on its own machine is an admin";
  const width = Math.max(...keys.map((key) => (key.name ?? "–").length));
  return keys.map((key) => plainText(formatKey(key, width))).join("\n");
}

function formatKey({ id, name, role, expiresAt, expired, formerUntil }: KeySummary, width: number): string {
  const time = (at: number) => new Date(at).toISOString();
  const end = expiresAt === null ? "never expires" : `${expired ? "expired" : "expires"} ${time(expiresAt)}`;
  const former =
    formerUntil === null ? "" : `; rotated, the former secret is accepted until ${time(formerUntil)}`;
  return `${id}  ${(name ?? "–").padEnd(width)}  ${role.padEnd(9)}  ${end}${former}`;
}
