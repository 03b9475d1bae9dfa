/** The parts of the contracts that need Node: imported as `@agentswarm/contracts/node`, never by a browser. */
export { eventJobId, featureIdOf, shortHash, taskIdOf } from "./derive-ids.ts";
export { failpoint } from "./failpoint.ts";
