import { Fault } from "@agentswarm/contracts";
import { openLocalProvider } from "./local/local-provider.ts";
import type { SandboxProvider } from "./sandbox.ts";
import type { SandboxSettings } from "./settings.ts";

export interface ProviderOptions {
  /** SWARM_HOME. */
  readonly home: string;
  /** The `swarm` label of all its sandboxes. */
  readonly swarm: string;
  readonly settings: SandboxSettings;
  /**
   * Opens the provider of the broker at BROKER_URL: `openBrokerProvider` of packages/broker, which stands above this
   * package. Without it BROKER_URL is refused.
   */
  readonly openBroker?: OpenBroker;
}

export type OpenBroker = (broker: {
  readonly swarm: string;
  readonly url: string;
  readonly token: string;
}) => Promise<SandboxProvider>;

/**
 * Opens the provider that SANDBOX_PROVIDER names; the SDKs of the other providers are not loaded. Throws Fault
 * `config.invalid` when a setting of the provider is missing, `sandbox.unavailable` when it cannot be used.
 */
export async function openSandboxProvider(options: ProviderOptions): Promise<SandboxProvider> {
  const { home, swarm, settings } = options;
  switch (settings.SANDBOX_PROVIDER) {
    case "local": {
      const provider = await openLocalProvider({
        home,
        swarm,
        tools: settings.SWARM_TOOLS,
        allowUnisolated: settings.ALLOW_UNISOLATED || settings.MODEL_RECORDED,
        diskBytes: settings.SANDBOX_DISK_BYTES,
      });
      return refuseUnlimited(provider, settings);
    }
    case "docker":
      return refuseUnlimited(await openDocker(options), settings);
    case "modal": {
      const { openModalProvider } = await import("./modal/modal-provider.ts");
      return openModalProvider({ home, swarm, settings });
    }
  }
}

/**
 * Refuses a provider on one's own machine whose limits do not all hold: an agent could take the whole machine. Modal's
 * machines are not one's own.
 */
export function refuseUnlimited(
  provider: SandboxProvider,
  settings: Pick<SandboxSettings, "ALLOW_UNLIMITED" | "MODEL_RECORDED">,
): SandboxProvider {
  const limits = provider.unenforced.filter((one) => one !== "seccomp");
  if (limits.length === 0 || settings.ALLOW_UNLIMITED || settings.MODEL_RECORDED) return provider;
  throw new Fault(
    "sandbox.unavailable",
    `SANDBOX_PROVIDER=${provider.name} cannot enforce the limits ${limits.join(", ")} here: ${HOW_TO_LIMIT[provider.isolation]}, or set ALLOW_UNLIMITED=true to run agents that may take the whole machine`,
  );
}

const HOW_TO_LIMIT: Record<SandboxProvider["isolation"], string> = {
  none: "install bubblewrap (apt-get install bubblewrap)",
  bubblewrap: "run as root, or loginctl enable-linger, or install util-linux for taskset",
  docker: "enable the engine's control groups",
  modal: "",
};

/** Uses the broker if BROKER_URL is set, so that this process needs no access to the engine; else the local engine. */
async function openDocker({ swarm, settings, openBroker }: ProviderOptions): Promise<SandboxProvider> {
  const { BROKER_URL: url, BROKER_TOKEN: token } = settings;
  if (url === undefined) {
    const { openDockerProvider } = await import("./docker/docker-provider.ts");
    return openDockerProvider({
      swarm,
      image: settings.SANDBOX_IMAGE,
      workBytes: settings.SANDBOX_WORK_BYTES,
    });
  }
  if (token === undefined)
    throw new Fault(
      "config.invalid",
      "BROKER_URL is set but BROKER_TOKEN is not: set it to the broker's BROKER_TOKEN",
    );
  if (openBroker === undefined)
    throw new Fault("config.invalid", "BROKER_URL is set, but this program cannot use a broker: unset it");
  return openBroker({ swarm, url, token });
}
