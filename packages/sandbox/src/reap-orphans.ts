import type { SandboxInfo, SandboxProvider } from "./sandbox.ts";

/**
 * Ends sandboxes whose owner is dead; every service that opens sandboxes does so when it starts. They are never taken
 * over: what they were for is done again.
 */
export async function reapOrphans(
  provider: SandboxProvider,
  onReap: (sandbox: SandboxInfo) => void,
): Promise<void> {
  for (const sandbox of await provider.list()) {
    if (!sandbox.orphaned) continue;
    onReap(sandbox);
    await provider.terminate(sandbox.id);
  }
}
