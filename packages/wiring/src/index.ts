/** The parts of a service's start that are the same in every service. */
export { awaitOrigin } from "./await-origin.ts";
export { openRepos, type RepoLocation, type Repos } from "./open-repos.ts";
export { openService, type OpenedService } from "./open-service.ts";
