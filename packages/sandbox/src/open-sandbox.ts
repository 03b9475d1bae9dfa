import { Fault } from "@agentswarm/contracts";
import { openLocalProvider } from "./local/local-provider.ts";
import type { SandboxProvider } from "./sandbox.ts";

export interface ProviderOptions {
  readonly provider: string;
  readonly home: string;
  readonly tools?: string | undefined;
  readonly swarm: string;
  readonly allowUnisolated: boolean;
  /** With `docker`: the image, the room in each sandbox's work folder, and the broker where there is one. */
  readonly image?: string | undefined;
  readonly workBytes?: number | undefined;
  readonly brokerUrl?: string | undefined;
  readonly brokerToken?: string | undefined;
}

/** The provider that SANDBOX_PROVIDER names. */
export async function openSandboxProvider(options: ProviderOptions): Promise<SandboxProvider> {
  if (options.provider === "local") return openLocalProvider(options);
  if (options.provider === "docker") return openDocker(options);
  throw new Fault(
    "config.invalid",
    `SANDBOX_PROVIDER=${options.provider} is not known; it may be: local, docker`,
  );
}

/** By a broker where one is named, so that its clients need no access to the engine; else by this machine's own. */
async function openDocker(options: ProviderOptions): Promise<SandboxProvider> {
  const { swarm, brokerUrl, brokerToken, image, workBytes } = options;
  if (brokerUrl !== undefined) {
    if (brokerToken === undefined) throw new Fault("config.invalid", "BROKER_URL is set, and BROKER_TOKEN is not");
    const { openBrokerProvider } = await import("./broker/broker-provider.ts");
    return openBrokerProvider({ swarm, url: brokerUrl, token: brokerToken });
  }
  const { openDockerProvider } = await import("./docker/docker-provider.ts");
  return openDockerProvider({ swarm, image, workBytes });
}
