import { Option } from "commander";
import type { NoteMode } from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";
import { formatNote } from "../format-note.ts";
import { taskOrFeature } from "../task-or-feature.ts";

interface Options {
  readonly next?: boolean;
  readonly interrupt?: boolean;
  readonly json?: boolean;
}

export const addSay: CliCommand = (program, { client, print }) => {
  program
    .command("say <id> <text...>")
    .description("say something to the agents of a feature, or to the agent of a task")
    .addOption(new Option("--next", "a running agent hears it when it hands over").conflicts("interrupt"))
    .option("--interrupt", "end what a running agent does now")
    .option("--json", "print JSON")
    .action(async (id: string, words: string[], { next, interrupt, json }: Options) => {
      const mode: NoteMode = interrupt ? "interrupt" : next ? "next" : "steer";
      const request = { params: { id }, body: { text: words.join(" "), mode } };
      const accepted = await taskOrFeature(
        id,
        () => client.sayToTask(request),
        () => client.sayToFeature(request),
      );
      print(json, accepted, `say: ${id} (swarm notes ${id} shows who heard it)`);
    });
};

export const addNotes: CliCommand = (program, { client, print }) => {
  program
    .command("notes <id>")
    .description("show what was said to a feature or a task, and which attempts heard it")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: Options) => {
      const { notes } = await taskOrFeature(
        id,
        () => client.taskNotes({ params: { id } }),
        () => client.featureNotes({ params: { id } }),
      );
      print(json, notes, notes.length === 0 ? "nothing was said" : notes.map(formatNote).join("\n"));
    });
};
