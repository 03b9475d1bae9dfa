import type { SandboxLimits } from "../../sandbox.ts";

/** The unit of `ulimit -f` in a shell that is called sh. */
const FILE_BLOCK_BYTES = 512;
const OPEN_FILES = 16_384;
/**
 * Wraps a program so that the kernel's limits hold for it and what it starts: the size of one file, open files, and with
 * `processes` their number. That is counted for the user of the user namespace, so it must be set inside, where no
 * process of the host counts. CPU seconds are not limited, because the wall time is; nor is memory, because V8 reserves
 * half a GiB of writable addresses for each of its isolates.
 */
export function withRlimits(argv: readonly string[], limits: SandboxLimits, processes: boolean): string[] {
  const lines = [`ulimit -f ${Math.ceil(limits.diskBytes / FILE_BLOCK_BYTES)}`, `ulimit -n ${OPEN_FILES}`];
  if (processes) {
    // dash and busybox call it -p, bash calls it -u.
    lines.push(`ulimit -u ${limits.pids} || ulimit -p ${limits.pids}`);
  }
  const script = `{ ${lines.join("; ")}; } 2>/dev/null; exec "$@"`;
  return ["/bin/sh", "-c", script, "sh", ...argv];
}
