export { cacheRemovals } from "./cache-removals.ts";
export { closeHome } from "./close-home.ts";
export type { Environment } from "./environment.ts";
export { createLogger, type Logger } from "./logger.ts";
export { parseEnv } from "./parse-env.ts";
export { removeOld, type Removal } from "./remove-old.ts";
export { removeOldFiles } from "./remove-old-files.ts";
export { runService, type ServiceContext } from "./run-service.ts";
export { baseSettings, cacheSettings } from "./settings.ts";
