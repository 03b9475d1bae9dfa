import { openBrokerProvider } from "@agentswarm/broker";
import { asFault, Fault } from "@agentswarm/contracts";
import {
  openSandboxProvider,
  sandboxSettingsSchema,
  type Safeguard,
  type SandboxProvider,
} from "@agentswarm/sandbox";
import { parseEnv, type Environment } from "@agentswarm/service";
import type { DoctorSettings } from "./config.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

const NAME = "sandbox";
const UNISOLATED = "install bubblewrap (apt-get install bubblewrap) and allow user namespaces";
const UNLIMITED =
  "real models are refused without ALLOW_UNLIMITED where limits do not hold: install bubblewrap and util-linux (taskset), or set SANDBOX_PROVIDER=docker";
const SAFEGUARDS: readonly Safeguard[] = ["memoryBytes", "pids", "cpus", "diskBytes", "seccomp"];
const TRIAL_TIMEOUT_MS = 30_000;

/** Examines the sandbox provider by starting a program in a sandbox. */
export async function examineSandbox(
  settings: DoctorSettings,
  env: Environment,
  unpacks: ReadonlySet<string>,
): Promise<Finding> {
  const name = settings.SANDBOX_PROVIDER;
  try {
    const provider = await openProvider(settings, env);
    if (provider.isolation === "none" && unpacks.has("bwrap"))
      return warn(
        NAME,
        `${name}, not tried: bubblewrap is not here yet, and npm start unpacks it`,
        "run swarm doctor again after the first npm start",
      );
    if (provider.isolation === "none") {
      return warn(
        NAME,
        `${name} without isolation: real models are refused without ALLOW_UNISOLATED`,
        UNISOLATED,
      );
    }
    await tryOne(provider);
    const held = SAFEGUARDS.filter((one) => !provider.unenforced.includes(one)).join(", ");
    const isolated = `${name}, isolated by ${provider.isolation}, with ${held}`;
    if (provider.unenforced.length === 0) return ok(NAME, isolated);
    return warn(NAME, `${isolated}, without ${provider.unenforced.join(", ")}`, UNLIMITED);
  } catch (error) {
    return fail(NAME, asFault(error).message, "SANDBOX_PROVIDER names the provider; local is the default");
  }
}

/** Opens the configured provider, also where it does not isolate or limit; the findings say so. */
export function openProvider(
  { SWARM_HOME: home }: Pick<DoctorSettings, "SWARM_HOME">,
  env: Environment,
): Promise<SandboxProvider> {
  const settings = parseEnv(sandboxSettingsSchema, {
    ...env,
    ALLOW_UNISOLATED: "true",
    ALLOW_UNLIMITED: "true",
  });
  return openSandboxProvider({ home, swarm: "doctor", settings, openBroker: openBrokerProvider });
}

/** Throws unless a sandbox opens and runs node and git. */
async function tryOne(provider: SandboxProvider): Promise<void> {
  const sandbox = await provider.open({ labels: { swarm: "doctor", purpose: "trial" } });
  try {
    const argv = ["sh", "-c", "node --version && git --version"];
    const { exitCode, outputTail } = await sandbox.run(argv, { timeoutMs: TRIAL_TIMEOUT_MS });
    if (exitCode !== 0)
      throw new Fault("sandbox.unavailable", `node or git does not run inside: ${outputTail.trim()}`);
  } finally {
    await sandbox.terminate();
  }
}
