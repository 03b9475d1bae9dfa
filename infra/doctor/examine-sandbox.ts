import { Fault } from "@agentswarm/contracts";
import { openSandboxProvider } from "@agentswarm/sandbox";
import { parseEnv, sandboxSettingsSchema } from "@agentswarm/service";
import { fail, ok, warn, type Finding } from "./finding.ts";

const NAME = "sandbox";
const UNISOLATED = "install bubblewrap (apt-get install bubblewrap) and allow user namespaces";

/** Tries isolation by really starting something in it. */
export async function examineSandbox(env: NodeJS.ProcessEnv, home: string): Promise<Finding> {
  const name = env["SANDBOX_PROVIDER"] || "local";
  try {
    const settings = parseEnv(sandboxSettingsSchema, { ...env, ALLOW_UNISOLATED: "true" });
    const provider = await openSandboxProvider({ home, swarm: "doctor", settings });
    if (provider.isolation === "none") {
      return warn(
        NAME,
        `${name} without isolation: real models are refused without ALLOW_UNISOLATED`,
        UNISOLATED,
      );
    }
    return ok(NAME, `${name}, isolated by ${provider.isolation}`);
  } catch (error) {
    return fail(NAME, Fault.from(error).message, "SANDBOX_PROVIDER names the provider; local is the default");
  }
}
