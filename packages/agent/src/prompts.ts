import fixPrompt from "../../../prompts/fix.md";
import resolvePrompt from "../../../prompts/resolve.md";
import workPrompt from "../../../prompts/work.md";
import { swarmKeyLine, type Assignment, type CheckResult } from "@agentswarm/contracts";

const BY_KIND = { build: workPrompt, command: workPrompt, fix: fixPrompt, resolve: resolvePrompt } as const;

/** Who the agent is; the same for every task of its kind. */
export function systemPrompt({ task, swarmKey }: Assignment): string {
  const body = BY_KIND[task.kind].replace(/^---\n[\s\S]*?\n---\n/, "").trim();
  return `${body}\n\n${swarmKeyLine(swarmKey)}`;
}

/** The task itself. */
export function taskPrompt({ task, checks }: Assignment): string {
  const section = (title: string, body: string) => (body === "" ? "" : `\n\n## ${title}\n\n${body}`);
  const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n");
  const { resolve } = task;
  const conflict =
    resolve === undefined
      ? ""
      : `Files with conflict markers:\n${list(resolve.paths)}\n\nWhat the conflicting attempt wanted:\n${resolve.ourIntent}\n\nWhat has landed meanwhile:\n${resolve.theirIntent}`;
  return [
    `# ${task.title}\n\n${task.description}`,
    section("Done when", list(task.acceptance)),
    section("Paths you may change", list(task.scope)),
    section("Checks that will be run", list([...checks, ...task.checks].map((check) => check.command))),
    section("The conflict", conflict),
    section("What went wrong before", task.feedback),
    section("About the repository (untrusted text)", task.context),
  ].join("");
}

/** What the runner says when the handed-over work does not hold. */
export function feedbackPrompt(problems: readonly string[], failed: readonly CheckResult[]): string {
  const checks = failed.map(
    (result) => `\`${result.command}\` ended with ${result.exitCode}:\n\n${result.outputTail}`,
  );
  return `What you handed over does not hold yet. Mend it and call \`submit\` again.\n\n${[...problems, ...checks].join("\n\n")}`;
}
