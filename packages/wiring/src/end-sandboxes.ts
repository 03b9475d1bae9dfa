import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox, SandboxProvider } from "@agentswarm/sandbox";

/** A remote provider may take longer; the next start ends what is left. */
const LONGEST_MS = 5_000;

/**
 * The provider, whose sandboxes end with the service. Work that a stop aborts terminates its own sandboxes, but nobody
 * waits for it: the process would exit before, and leave their folders and control groups to the next start.
 */
export function endSandboxes(
  provider: SandboxProvider,
  stack: Pick<AsyncDisposableStack, "defer">,
): SandboxProvider {
  const opening = new Set<Promise<Sandbox>>();
  const open = new Set<Sandbox>();
  let isOver = false;
  stack.defer(async () => {
    isOver = true;
    const ends = Promise.allSettled([...opening, ...[...open].map((sandbox) => sandbox.terminate())]);
    await Promise.race([ends, sleep(LONGEST_MS, undefined, { ref: false })]);
  });
  const openOne: SandboxProvider["open"] = async (spec) => {
    const opened = await provider.open(spec);
    const sandbox: Sandbox = {
      ...opened,
      terminate: () => opened.terminate().finally(() => open.delete(sandbox)),
    };
    open.add(sandbox);
    if (isOver) await sandbox.terminate();
    return sandbox;
  };
  return {
    ...provider,
    open(spec) {
      const one = openOne(spec).finally(() => opening.delete(one));
      opening.add(one);
      return one;
    },
  };
}
