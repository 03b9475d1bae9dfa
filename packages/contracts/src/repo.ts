import { z } from "zod";

/** The repository of a swarm that is configured with one: messages and documents that name none belong to it. */
export const DEFAULT_REPO = "main";

/** Names one target repository within a swarm. */
export const repoIdSchema = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, "must match ^[a-z0-9-]{1,32}$")
  .default(DEFAULT_REPO)
  .describe("The target repository");

/**
 * A name that exists once for each repository: a lease, a folder, a set of documents. The default repository keeps
 * the plain name, under which a swarm with one repository has its data; another gets its id behind it, as in
 * `merger` and `merger-docs`.
 */
export function repoScoped(name: string, repoId: string): string {
  return repoId === DEFAULT_REPO ? name : `${name}-${repoId}`;
}

/** The standing feature of the default repository under which fix tasks from sweeps are booked. */
export const TRUNK_HEALTH = "trunk-health";

/** The standing feature of a repository under which fix tasks from its sweeps are booked. */
export function trunkHealthId(repoId: string): string {
  return repoScoped(TRUNK_HEALTH, repoId);
}

/** Whether a feature is the standing one of some repository. Features of people have ids that begin with `feature-`. */
export function isTrunkHealth(featureId: string): boolean {
  return featureId === TRUNK_HEALTH || featureId.startsWith(`${TRUNK_HEALTH}-`);
}
