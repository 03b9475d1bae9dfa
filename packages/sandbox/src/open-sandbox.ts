import { Fault } from "@agentswarm/contracts";
import { openLocalProvider } from "./local/local-provider.ts";
import type { SandboxProvider } from "./sandbox.ts";

export interface ProviderOptions {
  readonly provider: string;
  readonly home: string;
  readonly tools?: string | undefined;
  readonly swarm: string;
  readonly allowUnisolated: boolean;
}

/** The provider that SANDBOX_PROVIDER names. */
export async function openSandboxProvider(options: ProviderOptions): Promise<SandboxProvider> {
  if (options.provider === "local") return openLocalProvider(options);
  throw new Fault("config.invalid", `SANDBOX_PROVIDER=${options.provider} is not known; it may be: local`);
}
