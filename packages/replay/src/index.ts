export { type ScenarioEntry } from "./scenario.ts";
export {
  /** @testonly */
  readScenario,
} from "./scenario.ts";
/** @testonly */
export { startReplay } from "./start-replay.ts";
export type { Replay } from "./start-replay.ts";
