export { describeProcess, isRunning, type Owner } from "./local/owner.ts";
export { openDoor, type Door, type DoorHandler } from "./door.ts";
export { openSandboxProvider } from "./open-sandbox.ts";
export { reapOrphans } from "./reap-orphans.ts";
export {
  type Exit,
  type Mount,
  type RunResult,
  type Sandbox,
  type SandboxFigures,
  type SandboxLabels,
  type SandboxProcess,
  type SandboxProvider,
} from "./sandbox.ts";
