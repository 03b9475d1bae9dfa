import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { REST } from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { notFound } from "../problem.ts";
import type { ShownAttempt } from "../project/attempts-to-show.ts";
import { serveRoute } from "../serve-route.ts";

/** The most that the diff of a feature has; those of its attempts, which are bounded each, may have more together. */
const FEATURE_BYTES = 20 * 1024 * 1024;

export function diffRoutes(app: App, { model, transcriptsDir }: ApiContext): void {
  const fileOf = (taskId: string, attempt: number) => join(transcriptsDir, taskId, `${attempt}.diff`);

  serveRoute(app, REST.getAttemptDiff, async ({ params: { id, attempt } }) => {
    const file = fileOf(id, attempt);
    return (await sizeOf(file)) === null
      ? notFound("diff of attempt", `${attempt} of ${id}`)
      : createReadStream(file);
  });

  serveRoute(app, REST.getFeatureDiff, async ({ params: { id } }) => {
    if ((await model.findFeature(id)) === null) notFound("feature", id);
    return Readable.from(featureDiff(await model.shownAttempts(id), fileOf));
  });
}

async function* featureDiff(
  attempts: readonly ShownAttempt[],
  fileOf: (taskId: string, attempt: number) => string,
): AsyncGenerator<string | Buffer> {
  if (attempts.length === 0) yield "# No task has commits yet.\n";
  let bytes = 0;
  for (const { taskId, attempt, commit } of attempts) {
    const file = fileOf(taskId, attempt);
    const size = await sizeOf(file);
    const where = commit === null ? "not on the trunk" : `on the trunk as ${commit}`;
    yield `# ==== Task ${taskId}, attempt ${attempt}: ${where}\n`;
    if (size === null) yield "# Its diff is not kept any more.\n";
    else if (bytes + size <= FEATURE_BYTES) {
      bytes += size;
      yield* createReadStream(file) as AsyncIterable<Buffer>;
    } else yield `# Left out, as the diff is too long: swarm diff ${taskId} --attempt ${attempt}\n`;
    yield "\n";
  }
}

async function sizeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ size }) => size,
    () => null,
  );
}
