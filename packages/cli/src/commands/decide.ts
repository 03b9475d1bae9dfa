import type { CliCommand } from "../cli-command.ts";
import { formatAnswered, formatDecision } from "../format-decision.ts";

interface Options {
  readonly text?: string;
  readonly head?: string;
  readonly json?: boolean;
}

export const addDecide: CliCommand = (program, { client, out, print }) => {
  program
    .command("decide <decision> [option]")
    .description("answer what people are asked; without an option or a text, show it")
    .option("--text <text>", "the answer where there are no options; else why, or what the option asks for")
    .option("--head <head>", "only if the decision is about this head; its first digits will do")
    .option("--json", "print JSON")
    .action(async (id: string, option: string | undefined, { text, head: named, json }: Options) => {
      const decision = await client.getDecision({ params: { id } });
      const shown = formatDecision(decision, Date.now());
      if (option === undefined && text === undefined) return print(json, decision, shown);
      const { head } = decision;
      if (named !== undefined && !(head ?? "").startsWith(named.toLowerCase()))
        throw new Error(`${id} is about ${head ?? "no head"}, not ${named}; look at it and decide again`);
      if (out.isTTY && !json) out.write(`${shown}\n`);
      const answered = await client.answerDecision({
        params: { id },
        // The head that was shown here: the answer counts for no other.
        headers: { "if-match": head === null ? undefined : `"${head}"` },
        body: { option, text },
      });
      print(json, answered, formatAnswered(answered));
    });
};
