export { parseScenario, readScenario, type ScenarioEntry } from "./scenario.ts";
export { startReplay, type Replay } from "./start-replay.ts";
