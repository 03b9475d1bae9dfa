import { readFile } from "node:fs/promises";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { ApiClient, Unreachable } from "./api-client.ts";
import { plainText, subjectOf } from "@agentswarm/contracts";
import { formatProgress, oneLine } from "./progress.ts";
import { watchFeatures } from "./watch-features.ts";

const EXIT_CODES = `
Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 the api cannot be reached
Settings:   SWARM_URL (http://127.0.0.1:8080) · SWARM_API_KEY
`;
/** A task that stands so has no attempt at work, so that nothing more would come. */
const ENDED_TASK = new Set(["landed", "failed", "blocked", "held", "cancelled"]);

interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

/** Runs the `swarm` command; resolves with the exit code. */
export async function runCli(argv: readonly string[], { env, out, err }: Surroundings): Promise<number> {
  const client = new ApiClient(env["SWARM_URL"] || "http://127.0.0.1:8080", env["SWARM_API_KEY"]);
  let code = 0;
  const print = (json: boolean, value: unknown, text: string) =>
    out.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`);

  const program = new Command("swarm")
    .description("Submit features to the swarm and see what becomes of them")
    .addHelpText(
      "after",
      `\n  doctor [--json]                shows what was found on this machine\n${EXIT_CODES}`,
    )
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => err.write(text) })
    .exitOverride();

  program
    .command("submit <title>")
    .description("submit a feature")
    .option("-d, --description <text>", "what is wanted, in Markdown")
    .option("-f, --file <path>", "the description, from a file")
    .option("-a, --acceptance <text...>", "what holds when it is done; may be repeated")
    .option("-p, --priority <n>", "1 (first) to 10 (last)", parsePriority, 5)
    .option("--idempotency-key <key>", "the same key submits only once")
    .option("-w, --watch", "wait for its end and show progress")
    .option("--json", "print JSON")
    .action(async (title: string, options: SubmitOptions) => {
      const description =
        options.file === undefined ? options.description : await readFile(options.file, "utf8");
      const feature = {
        title,
        priority: options.priority,
        acceptance: options.acceptance ?? [],
        ...(description ? { description } : {}),
      };
      const submitted = await client.submit(feature, options.idempotencyKey);
      if (!options.watch) return void print(options.json ?? false, submitted, submitted.id);
      code = await watch([submitted.id], options.json ?? false);
    });

  program
    .command("status [feature]")
    .description("the whole swarm, or one feature with its tasks")
    .option("--json", "print JSON")
    .action(async (id: string | undefined, options: { json?: boolean }) => {
      if (id === undefined) {
        const status = await client.status();
        return void print(options.json ?? false, status, formatProgress(await client.features(), status));
      }
      const feature = await client.feature(id);
      const tasks = feature.tasks.map(
        (task) =>
          `  ${task.status.padEnd(10)} ${task.id}  ${oneLine(task.title)}${task.reason ? ` — ${plainText(task.reason).split("\n")[0]}` : ""}`,
      );
      print(
        options.json ?? false,
        feature,
        [`${feature.status}  ${oneLine(feature.title)}`, ...tasks].join("\n"),
      );
    });

  program
    .command("watch [features...]")
    .description("show progress until the features end; without ids all that are open")
    .option("--json", "print JSON at the end")
    .action(async (ids: string[], options: { json?: boolean }) => {
      const open = async () =>
        (await client.features())
          .filter((one) => !["done", "failed", "cancelled"].includes(one.status))
          .map((one) => one.id);
      // An id that is none would never end.
      for (const id of ids) await client.feature(id);
      code = await watch(ids.length > 0 ? ids : await open(), options.json ?? false);
    });

  program
    .command("logs <task>")
    .description("a task's attempts, or what its agent said")
    .option("-t, --transcript", "the transcript, as JSON lines")
    .option("--attempt <n>", "which attempt", parseAttempt)
    .option("-F, --follow", "go on with its events as they come")
    .option("--json", "print JSON")
    .action(
      async (
        id: string,
        options: { transcript?: boolean; attempt?: number; follow?: boolean; json?: boolean },
      ) => {
        if (options.transcript) {
          const text = await client.transcript(id, options.attempt);
          return void out.write(out.isTTY ? plainText(text) : text);
        }
        const task = await client.task(id);
        print(options.json ?? false, task, plainTextOf(task));
        if (!options.follow || ENDED_TASK.has(String(task["status"]))) return;
        for await (const { event } of client.events(undefined, new AbortController().signal)) {
          if (subjectOf(event).taskId !== id) continue;
          print(
            options.json ?? false,
            event,
            `${new Date(event.at).toISOString()} ${event.type} ${plainText(JSON.stringify(event.data)).slice(0, 200)}`,
          );
          if (event.type === "attempt.ended") return;
        }
      },
    );

  const simple = (
    name: string,
    description: string,
    what: string,
    act: (id: string, options: { reason?: string; refuse?: boolean }) => Promise<unknown>,
  ) =>
    program
      .command(`${name} <${what}>`)
      .description(description)
      .option("--json", "print JSON")
      .action(async (id: string, options: { json?: boolean; reason?: string; refuse?: boolean }) => {
        print(options.json ?? false, await act(id, options), `${name}: ${id}`);
      });
  simple("cancel", "cancel a feature", "feature", (id) => client.cancel(id));
  simple("retry", "try an ended task again", "task", (id) => client.retry(id));
  simple("approve", "let a held task land", "task", (id, options) =>
    client.decide(id, options.refuse ? "refuse" : "approve", options.reason),
  )
    .option("--refuse", "refuse it instead")
    .option("--reason <text>", "why");

  const watch = async (ids: readonly string[], json: boolean): Promise<number> => {
    const ended = await watchFeatures(client, ids, json ? err : out);
    if (json) out.write(`${JSON.stringify(ended)}\n`);
    return ended.every((feature) => feature.status === "done") ? 0 : 1;
  };

  try {
    await program.parseAsync(["node", "swarm", ...argv]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Unreachable) {
      err.write(`${error.message}\n`);
      return 3;
    }
    err.write(`${plainText(error instanceof Error ? error.message : String(error))}\n`);
    return 1;
  }
}

interface SubmitOptions {
  readonly description?: string;
  readonly file?: string;
  readonly acceptance?: string[];
  readonly priority: number;
  readonly idempotencyKey?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

function parseAttempt(text: string): number {
  const attempt = Number(text);
  if (!Number.isInteger(attempt) || attempt < 1) throw new InvalidArgumentError("a whole number from 1");
  return attempt;
}

function parsePriority(text: string): number {
  const priority = Number(text);
  if (!Number.isInteger(priority) || priority < 1 || priority > 10)
    throw new InvalidArgumentError("a whole number from 1 to 10");
  return priority;
}

function plainTextOf(task: Record<string, unknown>): string {
  const { title, status, reason, attempts } = task as {
    title: string;
    status: string;
    reason: string | null;
    attempts: {
      attempt: number;
      handoff: { end: string; summary: string; reason?: string } | null;
      outcome: { kind?: string } | null;
    }[];
  };
  const lines = attempts.map(
    ({ attempt, handoff, outcome }) =>
      `  attempt ${attempt}: ${handoff?.end ?? "at work"}${outcome?.kind ? `, ${outcome.kind}` : ""} — ${handoff?.reason ?? handoff?.summary ?? ""}`,
  );
  return plainText([`${status}  ${title}`, ...(reason ? [`  ${reason}`] : []), ...lines].join("\n"));
}
