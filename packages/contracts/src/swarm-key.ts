import { slug } from "./ids.ts";

/** Who asks the model. Costs and recorded answers both go by it. */
export type Role = "plan" | "decompose" | "accept" | "work" | "resolve" | "fix" | "draft-fixes";

/** `Swarm-Key: <feature slug>/<task key>/<role>`; never an id. `taskKey` is `-` where there is no task. */
export function swarmKey(featureTitle: string, taskKey: string, role: Role): string {
  return `${slug(featureTitle)}/${taskKey}/${role}`;
}

/** The line every prompt carries. */
export function swarmKeyLine(key: string): string {
  return `Swarm-Key: ${key}`;
}
