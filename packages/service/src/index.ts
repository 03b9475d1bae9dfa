export { closeHome } from "./close-home.ts";
export type { Environment } from "./environment.ts";
export { createLogger, type Logger } from "./logger.ts";
export { parseEnv } from "./parse-env.ts";
export { runService, type ServiceContext } from "./run-service.ts";
export { baseSettings } from "./settings.ts";
