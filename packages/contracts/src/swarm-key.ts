import { slug } from "./ids.ts";
import type { TaskKind } from "./task.ts";

export const ROLES = ["plan", "accept", "work", "resolve", "fix", "draft-fixes"] as const;

/** The purpose of a model call. Costs, recorded answers and the choice of a backend depend on it. */
export type Role = (typeof ROLES)[number];

/** The role of model calls in an attempt, by the kind of its task. */
export const ROLE_OF_KIND = {
  build: "work",
  fix: "fix",
  resolve: "resolve",
  // A revert asks no model; its conflicts become resolves.
  revert: "resolve",
} as const satisfies Record<TaskKind, Role>;

/** `Swarm-Key: <feature slug>/<task key>/<role>`; never an id. `taskKey` is `-` where there is no task. */
export function swarmKey(featureTitle: string, taskKey: string, role: Role): string {
  return `${slug(featureTitle)}/${taskKey}/${role}`;
}

/** The line every prompt carries. */
export function swarmKeyLine(key: string): string {
  return `Swarm-Key: ${key}`;
}

/** The role that a Swarm-Key names, or null. */
export function roleOf(key: string): Role | null {
  return ROLES.find((role) => role === key.split("/").at(-1)) ?? null;
}

/**
 * The last Swarm-Key in a conversation's system and user messages, or null. Keys in the output of tools and in answers
 * of the model are ignored: the caller did not write them.
 */
export function findSwarmKey(messages: readonly { role: string; text: string }[]): string | null {
  let key: string | null = null;
  for (const { role, text } of messages) {
    if (role === "tool" || role === "assistant") continue;
    for (const match of text.matchAll(/Swarm-Key: (\S+)/g)) key = match[1] ?? key;
  }
  return key;
}
