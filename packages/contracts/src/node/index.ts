/** The parts of the contracts that need Node: imported as `@agentswarm/contracts/node`, never by a browser. */
export {
  answerIdOf,
  decisionId,
  eventJobId,
  featureIdOf,
  questionIdOf,
  shortHash,
  taskIdOf,
} from "./derive-ids.ts";
export { failpoint } from "./failpoint.ts";
export { describeProcess, ownerSchema, ownerState, type Owner } from "./owner.ts";
export { currentTrace, traceOfMessage, withTrace } from "./trace-context.ts";
