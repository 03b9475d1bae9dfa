export { buildAgent } from "./build-agent.ts";
