export { parseScenario, readScenario, type Entry } from "./scenario.ts";
export { startReplay, type Replay } from "./start-replay.ts";
