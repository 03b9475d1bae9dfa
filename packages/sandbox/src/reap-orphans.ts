import type { SandboxInfo, SandboxProvider } from "./sandbox.ts";

/**
 * Terminates the sandboxes whose owner is gone. Every service that opens sandboxes does so when it starts. An orphaned
 * sandbox is never adopted: its work is retried in a new one.
 */
export async function reapOrphans(
  provider: SandboxProvider,
  onReap: (sandbox: SandboxInfo) => void,
): Promise<number> {
  let ended = 0;
  for (const sandbox of await provider.list()) {
    if (!sandbox.orphaned) continue;
    onReap(sandbox);
    await provider.terminate(sandbox.id);
    ended += 1;
  }
  return ended;
}
