export { toLabels } from "./labels.ts";
export { findToolchain } from "./local/toolchain.ts";
export { openDoor, type Door, type DoorHandler } from "./door.ts";
export { openSandboxProvider, type OpenBroker } from "./open-sandbox.ts";
export { sandboxSettings, sandboxSettingsSchema, type SandboxSettings } from "./settings.ts";
export { reapOrphans } from "./reap-orphans.ts";
export {
  type ExecOptions,
  type Exit,
  type Mount,
  type RunResult,
  type Safeguard,
  type Sandbox,
  type SandboxFigures,
  type SandboxInfo,
  type SandboxLabels,
  type SandboxLimits,
  type SandboxProcess,
  type SandboxProvider,
} from "./sandbox.ts";
/** @testonly */
export { DEFAULT_SANDBOX_LIMITS } from "./sandbox.ts";
