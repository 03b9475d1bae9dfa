import { setTimeout as sleep } from "node:timers/promises";
import type { RebuildReport, RebuildState } from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";

const ASK_EVERY_MS = 500;

export const addEvents: CliCommand = (program, { client, print, exitWith }) => {
  const events = program.command("events").description("the event archive");
  events
    .command("rebuild")
    .description("make features, tasks and costs anew from the event archive, and say what it lacks")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      let state: RebuildState = await client.rebuildViews();
      while (state.state === "running") {
        await sleep(ASK_EVERY_MS);
        state = await client.getRebuild();
      }
      print(json, state, formatRebuild(state));
      exitWith(state.state === "done" ? 0 : 1);
    });
};

function formatRebuild({ state, reason, report }: RebuildState): string {
  if (report === null) return `${state}: ${reason ?? ""}`;
  return [
    `${report.features} features and ${report.tasks} tasks from ${report.events} events since ${report.since ?? "–"}`,
    ...shortcomingsOf(report),
  ].join("\n");
}

/** What the archive could not tell. */
function shortcomingsOf(report: RebuildReport): string[] {
  const { keptFeatures, withoutBeginning, unreadableLines, firstUnreadable, sentAgain } = report;
  return [
    ...(keptFeatures > 0
      ? [`${keptFeatures} features are older than the archive and stay as they were`]
      : []),
    ...(withoutBeginning.length > 0
      ? [`not made, because the archive lacks their first event: ${withoutBeginning.join(", ")}`]
      : []),
    ...(unreadableLines > 0 ? [`${unreadableLines} unreadable lines: ${firstUnreadable.join(", ")}`] : []),
    ...(sentAgain.length > 0 ? [`planned again: ${sentAgain.join(", ")}`] : []),
  ];
}
