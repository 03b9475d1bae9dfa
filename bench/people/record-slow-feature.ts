import { slug } from "@agentswarm/contracts";
import { partPath, partText } from "../swarm/make-target.ts";
import type { Recording } from "../swarm/record.ts";

/** Longer than the benchmark: a note ends the tool. */
const SLOW_S = 1_500;

/** A feature with tasks side by side, whose agents run a slow tool until somebody interrupts them; the nth of several. */
export function recordSlowFeature(title: string, tasks: number, nth: number): Recording {
  const name = slug(title);
  const parts = Array.from({ length: tasks }, (_, at) => 1 + nth * tasks + at);
  return {
    feature: { title, description: "More parts.", acceptance: [], priority: 5 },
    tasks,
    entries: [
      {
        key: `${name}/-/plan`,
        answer: {
          tasks: parts.map((part) => ({
            key: `part-${part}`,
            title: `Add part ${part}`,
            description: `Write ${partPath(part)}, slowly.`,
            scope: [partPath(part)],
            dependsOn: [],
          })),
        },
      },
      { key: `${name}/-/accept`, answer: { met: true, reason: "Every part is there.", tasks: [] } },
      ...parts.map((part) => ({
        key: `${name}/part-${part}/work`,
        steps: [
          { calls: [{ tool: "bash", args: { command: `sleep ${SLOW_S}` } }] },
          { calls: [{ tool: "write", args: { path: partPath(part), content: partText(part) } }] },
          { calls: [{ tool: "submit", args: { summary: `Added part ${part}.` } }] },
        ],
      })),
    ],
  };
}
