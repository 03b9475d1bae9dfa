import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { maskSecrets, plainText, type Task } from "@agentswarm/contracts";
import { readDiff } from "@agentswarm/git";
import type { DispatcherContext } from "./context.ts";
import type { EndedAttempt } from "./ended-attempt.ts";

/**
 * Writes what an attempt changes beside its transcript, for the people who look at it before it lands. An attempt without
 * commits in the store has none. Never throws: without its diff the attempt is passed on all the same.
 */
export async function writeDiff(
  ctx: Pick<DispatcherContext, "repo" | "transcriptsDir" | "log">,
  task: Task,
  ended: EndedAttempt,
): Promise<void> {
  const { attempt, headCommit } = ended.handoff;
  if (ended.kind !== "ran" || !ended.stored || headCommit === null) return;
  const file = join(ctx.transcriptsDir, task.id, `${attempt}.diff`);
  if (existsSync(file)) return;
  try {
    const { baseCommit } = ended;
    const { text, cut } = await readDiff(ctx.repo(task.repoId).store.dir, baseCommit, headCommit);
    const title = oneLine(maskSecrets(plainText(task.title)));
    const head = [
      `# Task ${task.id}, attempt ${attempt}: ${title}`,
      `# Base ${baseCommit}`,
      `# Head ${headCommit}`,
      ...(cut === null ? [] : [`# NOT ALL OF IT IS HERE: ${oneLine(cut)}`]),
    ];
    const end = cut === null ? "" : `# The rest is left out: ${oneLine(cut)}\n`;
    await mkdir(dirname(file), { recursive: true });
    // A reader never sees half a file.
    await writeFile(`${file}.new`, `${head.join("\n")}\n\n${text}${end}`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  } catch (error) {
    const ids = { featureId: task.featureId, taskId: task.id, attempt };
    ctx.log.error({ ...ids, err: error }, "the diff of an attempt cannot be written");
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
