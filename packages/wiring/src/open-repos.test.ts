import { expect, test } from "vitest";
import { openRepos } from "./open-repos.ts";

const settings = { GIT_REPO_URL: "https://host/x.git", SWARM_HOME: "/home/swarm" };

test("the one configured repository lies where a swarm with one repository has always had it", async () => {
  const { repo, all } = await openRepos(settings, "merger", async (location) => location);
  expect(repo("main")).toEqual({
    repoId: "main",
    url: "https://host/x.git",
    credential: undefined,
    trunk: undefined,
    mirrorDir: "/home/swarm/mirrors/merger",
    storeDir: "/home/swarm/store.git",
  });
  expect(all).toHaveLength(1);
});

test("a repository that is not configured is refused with those that are", async () => {
  const { repo } = await openRepos(settings, "merger", async (location) => location);
  expect(() => repo("docs")).toThrow("repository docs is not configured: this swarm has main");
});
