import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { slug, type FeatureInput } from "@agentswarm/contracts";
import { partPath, partText } from "./make-target.ts";

/** A feature whose tasks each add one part, with the answers of the recorded model. */
export interface Recording {
  readonly feature: FeatureInput;
  readonly tasks: number;
  readonly entries: readonly object[];
}

/**
 * Records a feature. `chained` tasks depend on one another, so that one runs at a time; others have no dependencies.
 * Parts are numbered from `firstPart`.
 */
export function recordFeature(
  title: string,
  options: { tasks: number; firstPart: number; chained: boolean },
): Recording {
  const { tasks, firstPart, chained } = options;
  const name = slug(title);
  const numbers = Array.from({ length: tasks }, (_, nth) => firstPart + nth);
  const plan = numbers.map((part, nth) => ({
    key: `part-${part}`,
    title: `Add part ${part}`,
    description: `Write ${partPath(part)}, which exports a function part that returns ${part}.`,
    scope: [partPath(part)],
    dependsOn: chained && nth > 0 ? [`part-${part - 1}`] : [],
  }));
  const work = numbers.map((part) => ({
    key: `${name}/part-${part}/work`,
    steps: [
      { say: "I look at how parts are written.", calls: [{ tool: "read", args: { path: partPath(0) } }] },
      { calls: [{ tool: "write", args: { path: partPath(part), content: partText(part) } }] },
      { calls: [{ tool: "submit", args: { summary: `Added part ${part}.` } }] },
    ],
  }));
  return {
    feature: { title, description: "More parts.", acceptance: [], priority: 5 },
    tasks,
    entries: [
      { key: `${name}/-/plan`, answer: { tasks: plan } },
      { key: `${name}/-/accept`, answer: { met: true, reason: "Every part is there.", tasks: [] } },
      ...work,
    ],
  };
}

/** Writes recordings as the only file of a scenario, in JSON, which is valid YAML. */
export async function writeScenario(dir: string, recordings: readonly Recording[]): Promise<string> {
  await mkdir(dir, { recursive: true });
  const entries = recordings.flatMap((one) => one.entries);
  await writeFile(join(dir, "parts.yaml"), JSON.stringify(entries));
  return dir;
}
