import { openBrokerProvider } from "@agentswarm/broker";
import type { RedisSettings } from "@agentswarm/queue";
import {
  openSandboxProvider,
  reapOrphans,
  type SandboxProvider,
  type SandboxSettings,
} from "@agentswarm/sandbox";
import type { ServiceContext } from "@agentswarm/service";
import { endSandboxes } from "./end-sandboxes.ts";

/**
 * Opens the sandbox provider that SANDBOX_PROVIDER names, and ends the sandboxes that dead services of this swarm left
 * behind. Its own sandboxes end with the service. Throws what `openSandboxProvider` throws.
 */
export async function openProvider({
  settings,
  log,
  stack,
}: Pick<
  ServiceContext<SandboxSettings & RedisSettings & { readonly SWARM_HOME: string }>,
  "settings" | "log" | "stack"
>): Promise<SandboxProvider> {
  const provider = await openSandboxProvider({
    home: settings.SWARM_HOME,
    swarm: settings.QUEUE_PREFIX,
    settings,
    openBroker: openBrokerProvider,
  });
  await reapOrphans(provider, (sandbox) => log.info({ sandbox }, "killing a leftover sandbox"));
  return endSandboxes(provider, stack);
}
