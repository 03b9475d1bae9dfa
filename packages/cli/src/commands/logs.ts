import {
  plainText,
  subjectOf,
  type DomainEvent,
  type TaskDetail,
  type TaskStatus,
} from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";
import { parseWholeNumber } from "../parse-whole-number.ts";

interface Options {
  readonly transcript?: boolean;
  readonly attempt?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** In these a task has no running attempt, so no event would come. */
const ENDED: ReadonlySet<TaskStatus> = new Set(["landed", "failed", "blocked", "held", "cancelled"]);
const DATA_CHARS = 200;

export const addLogs: CliCommand = (program, { client, out, print }) => {
  program
    .command("logs <task>")
    .description("a task's attempts, or the transcript of its agent")
    .option("-t, --transcript", "the transcript, as JSON lines")
    .option("--attempt <n>", "which attempt", parseWholeNumber(1))
    .option("-F, --follow", "continue with the task's events as they come")
    .option("--json", "print JSON")
    .action(async (id: string, { transcript, attempt, follow, json }: Options) => {
      if (transcript) {
        const text = await client.getTranscript({ params: { id }, query: { attempt } });
        return void out.write(out.isTTY ? plainText(text) : text);
      }
      const task = await client.getTask({ params: { id } });
      print(json, task, formatTask(task));
      if (!follow || ENDED.has(task.status)) return;
      for await (const { event } of client.events({ filter: (one) => subjectOf(one).taskId === id })) {
        print(json, event, formatEvent(event));
        if (event.type === "attempt.ended") return;
      }
    });
};

function formatTask({ title, status, reason, attempts }: TaskDetail): string {
  const lines = attempts.map(({ attempt, endedAt, handoff, outcome }) => {
    const landing = typeof outcome?.["kind"] === "string" ? `, ${outcome["kind"]}` : "";
    return `  attempt ${attempt}: ${handoff?.end ?? (endedAt === null ? "running" : "lost")}${landing} — ${handoff?.reason ?? handoff?.summary ?? ""}`;
  });
  return plainText([`${status}  ${title}`, ...(reason ? [`  ${reason}`] : []), ...lines].join("\n"));
}

function formatEvent({ at, type, data }: DomainEvent): string {
  return `${new Date(at).toISOString()} ${type} ${plainText(JSON.stringify(data)).slice(0, DATA_CHARS)}`;
}
