import { Fault } from "@agentswarm/contracts";
import { openLocalProvider } from "./local/local-provider.ts";
import type { ModalSettings } from "./modal/modal-settings.ts";
import type { SandboxProvider } from "./sandbox.ts";

/** What decides where sandboxes are made, by the names of the settings. */
export interface SandboxSettings extends ModalSettings {
  readonly SANDBOX_PROVIDER: "local" | "docker" | "modal";
  /** Folder with a bin of unpacked tools. */
  readonly SWARM_TOOLS?: string | undefined;
  readonly ALLOW_UNISOLATED: boolean;
  readonly MODEL_RECORDED: boolean;
  readonly SANDBOX_IMAGE?: string | undefined;
  /** Room in each work folder. */
  readonly SANDBOX_WORK_BYTES?: number | undefined;
  readonly BROKER_URL?: string | undefined;
  readonly BROKER_TOKEN?: string | undefined;
}

export interface ProviderOptions {
  /** SWARM_HOME. */
  readonly home: string;
  /** The label all its sandboxes carry. */
  readonly swarm: string;
  readonly settings: SandboxSettings;
}

/** The provider that SANDBOX_PROVIDER names. The SDKs of the others are not loaded. */
export async function openSandboxProvider(options: ProviderOptions): Promise<SandboxProvider> {
  const { home, swarm, settings } = options;
  switch (settings.SANDBOX_PROVIDER) {
    case "local":
      return openLocalProvider({
        home,
        swarm,
        tools: settings.SWARM_TOOLS,
        allowUnisolated: settings.ALLOW_UNISOLATED || settings.MODEL_RECORDED,
      });
    case "docker":
      return openDocker(swarm, settings);
    case "modal": {
      const { openModalProvider } = await import("./modal/modal-provider.ts");
      return openModalProvider({ home, swarm, settings });
    }
  }
}

/** By a broker where one is named, so that its clients need no access to the engine; else by this machine's own. */
async function openDocker(swarm: string, settings: SandboxSettings): Promise<SandboxProvider> {
  const { BROKER_URL: url, BROKER_TOKEN: token } = settings;
  if (url === undefined) {
    const { openDockerProvider } = await import("./docker/docker-provider.ts");
    return openDockerProvider({
      swarm,
      image: settings.SANDBOX_IMAGE,
      workBytes: settings.SANDBOX_WORK_BYTES,
    });
  }
  if (token === undefined) throw new Fault("config.invalid", "BROKER_URL is set, and BROKER_TOKEN is not");
  const { openBrokerProvider } = await import("./broker/broker-provider.ts");
  return openBrokerProvider({ swarm, url, token });
}
