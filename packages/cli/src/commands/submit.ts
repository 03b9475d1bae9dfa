import { readFile } from "node:fs/promises";
import type { CliCommand } from "../cli-command.ts";
import { parseWholeNumber } from "../parse-whole-number.ts";
import { watchToEnd } from "./watch.ts";

interface Options {
  readonly description?: string;
  readonly file?: string;
  readonly acceptance?: string[];
  readonly priority: number;
  readonly idempotencyKey?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export const addSubmit: CliCommand = (program, cli) => {
  program
    .command("submit <title>")
    .description("submit a feature")
    .option("-d, --description <text>", "what is wanted, in Markdown")
    .option("-f, --file <path>", "the description, from a file")
    .option("-a, --acceptance <text...>", "a statement that holds when the feature is done; may be repeated")
    .option("-p, --priority <n>", "1 (first) to 10 (last)", parseWholeNumber(1, 10), 5)
    .option("--idempotency-key <key>", "the same key submits only once")
    .option("-w, --watch", "show progress until the feature ends")
    .option("--json", "print JSON")
    .action(async (title: string, options: Options) => {
      const { file, priority, acceptance = [], idempotencyKey, json } = options;
      const description = file === undefined ? options.description : await readFile(file, "utf8");
      const submitted = await cli.client.submitFeature({
        body: { title, priority, acceptance, ...(description ? { description } : {}) },
        headers: { "idempotency-key": idempotencyKey },
      });
      if (options.watch) await watchToEnd(cli, [submitted.id], json);
      else cli.print(json, submitted, submitted.id);
    });
};
