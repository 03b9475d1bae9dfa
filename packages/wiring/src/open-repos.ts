import { join } from "node:path";
import { DEFAULT_REPO, Fault, repoScoped } from "@agentswarm/contracts";
import type { OriginSettings } from "@agentswarm/git";

/** Where one repository comes from, and where a service keeps what belongs to it. */
export interface RepoLocation {
  readonly repoId: string;
  readonly url: string;
  /** For an origin over HTTP. */
  readonly credential: string | undefined;
  /** The branch to land on; undefined: the one that the origin's HEAD names. */
  readonly trunk: string | undefined;
  /** For the service's own mirror of the origin. */
  readonly mirrorDir: string;
  /** The repository of attempts that dispatcher and merger share. */
  readonly storeDir: string;
}

/** What a service has opened for each repository of the swarm. */
export interface Repos<R> {
  /** Throws Fault `config.invalid` when no such repository is configured. */
  readonly repo: (repoId: string) => R;
  readonly all: readonly R[];
}

/**
 * Opens every configured repository for a service: today one, `main`, by GIT_REPO_URL. All state of a service that
 * belongs to a repository is what `open` gives back, so that another repository needs another entry here, not another
 * layout of the data.
 */
export async function openRepos<R>(
  settings: OriginSettings & { readonly SWARM_HOME: string },
  service: string,
  open: (location: RepoLocation) => Promise<R>,
): Promise<Repos<R>> {
  const opened = new Map<string, R>();
  for (const location of locationsOf(settings, service)) opened.set(location.repoId, await open(location));
  return {
    repo(repoId) {
      const found = opened.get(repoId);
      if (found !== undefined) return found;
      const known = [...opened.keys()].join(", ");
      throw new Fault("config.invalid", `repository ${repoId} is not configured: this swarm has ${known}`);
    },
    all: [...opened.values()],
  };
}

function locationsOf(
  settings: OriginSettings & { readonly SWARM_HOME: string },
  service: string,
): RepoLocation[] {
  const home = settings.SWARM_HOME;
  const repoId = DEFAULT_REPO;
  return [
    {
      repoId,
      url: settings.GIT_REPO_URL,
      credential: settings.GIT_WRITE_CREDENTIAL ?? settings.GIT_READ_CREDENTIAL,
      trunk: settings.TRUNK,
      mirrorDir: join(home, "mirrors", repoScoped(service, repoId)),
      storeDir: settings.SWARM_STORE_URL ?? join(home, `${repoScoped("store", repoId)}.git`),
    },
  ];
}
