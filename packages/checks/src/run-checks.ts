import { basename } from "node:path";
import { Fault, maskSecrets, type Check, type CheckResult } from "@agentswarm/contracts";
import { bundleFor } from "@agentswarm/git";
import type { Mount, Sandbox, SandboxFigures, SandboxProvider } from "@agentswarm/sandbox";

export interface CheckRun {
  /** The tree that was checked out, according to git in the sandbox. */
  readonly tree: string;
  readonly results: CheckResult[];
  readonly passed: boolean;
  /** Resource use of the sandbox. */
  readonly figures: SandboxFigures;
}

export interface RunChecksOptions {
  readonly provider: SandboxProvider;
  /** A repository that has the commit. */
  readonly repoDir: string;
  readonly commit: string;
  readonly checks: readonly Check[];
  /** The target's installed dependencies. */
  readonly mounts: readonly Mount[];
  /** The folder of bundles. They are reused. */
  readonly cacheDir: string;
  readonly labels: { readonly swarm: string; readonly purpose: string; readonly task?: string };
  readonly signal?: AbortSignal;
}

const CHECKOUT_TIMEOUT_MS = 120_000;
const TAIL_CHARS = 8_000;

/** The exit code of a checkout that lacks files. Git itself exits with 0 then. */
const INCOMPLETE = 3;
/** Failures of the sandbox or its machine, which say nothing about the commit. They end a line; a file's name does not. */
const MACHINE_FAILURES =
  ": (No space left on device|Disk quota exceeded|Input/output error|Read-only file system|Cannot allocate memory)$";

/**
 * The files are looked for after the checkout, because the commit's id says nothing about them. Their contents are not
 * compared: line endings that .gitattributes converts would look like changes.
 */
const CHECKOUT = `set -e
git init -q repo
cd repo
for bundle in ../full.bundle ../thin.bundle; do
  if [ -e "$bundle" ]; then git fetch -q "$bundle" '+refs/*:refs/bundled/*'; fi
done
git checkout -q --detach "$1" 2>../checkout.log || { cat ../checkout.log >&2; exit 1; }
missing=$(git ls-files --deleted 2>/dev/null | head -n 20)
if [ -n "$missing" ] || grep -q '^error: ' ../checkout.log; then
  if grep -qE '${MACHINE_FAILURES}' ../checkout.log; then cat ../checkout.log >&2; exit 1; fi
  printf 'the checkout lacks files of the commit:\\n%s\\n' "$missing"
  head -c 4000 ../checkout.log
  echo
  git rev-parse 'HEAD^{tree}'
  exit ${INCOMPLETE}
fi
git rev-parse 'HEAD^{tree}'`;

/**
 * Runs all checks on a commit in a fresh sandbox, one after another, also after a failed one. A failed check is a result.
 * So is a checkout that lacks files, for example those with a name that is too long for a file system: then no check runs.
 * Throws Fault `sandbox.died` (retryable) when the commit cannot be checked out, and the reason of `signal` when it is
 * aborted.
 */
export async function runChecks(options: RunChecksOptions): Promise<CheckRun> {
  const { provider, commit, checks, signal } = options;
  const { full, thin } = await bundleFor(options);
  // Many commits share the full bundle, so it has a key and providers may cache it. The thin one is for this commit only.
  const mounts: Mount[] = [
    ...options.mounts,
    { from: full, at: "full.bundle", key: basename(full, ".bundle") },
  ];
  if (thin !== null) mounts.push({ from: thin, at: "thin.bundle" });
  const sandbox = await provider.open({ labels: options.labels, mounts });
  const onAbort = () => void sandbox.terminate();
  signal?.addEventListener("abort", onAbort);
  const results: CheckResult[] = [];
  let tree: string;
  try {
    signal?.throwIfAborted();
    const checkout = await checkOut(sandbox, commit);
    tree = checkout.tree;
    if (checkout.incomplete !== null) results.push(checkout.incomplete);
    for (const check of checkout.incomplete === null ? checks : []) {
      results.push(await runCheck(sandbox, check));
      signal?.throwIfAborted();
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await sandbox.terminate();
  }
  const passed = results.every((result) => result.exitCode === 0);
  return { tree, results, passed, figures: await sandbox.figures() };
}

interface Checkout {
  readonly tree: string;
  /** The red result of a checkout that lacks files; null: it has all of them. */
  readonly incomplete: CheckResult | null;
}

async function checkOut(sandbox: Sandbox, commit: string): Promise<Checkout> {
  const run = await sandbox.run(["sh", "-c", CHECKOUT, "sh", commit], { timeoutMs: CHECKOUT_TIMEOUT_MS });
  const output = run.outputTail.trim();
  const tree = output.split("\n").at(-1) ?? "";
  if (/^[0-9a-f]{40}$/.test(tree)) {
    if (run.exitCode === 0) return { tree, incomplete: null };
    if (run.exitCode === INCOMPLETE) {
      const { exitCode, durationMs } = run;
      const outputTail = output.slice(0, -tree.length).slice(-TAIL_CHARS);
      const command = `git checkout ${commit}`;
      return { tree, incomplete: { name: "checkout", command, exitCode, durationMs, outputTail } };
    }
  }
  throw new Fault(
    "sandbox.died",
    `commit ${commit} could not be checked out in a sandbox: ${run.outputTail}`,
    {
      retryable: true,
    },
  );
}

async function runCheck(sandbox: Sandbox, check: Check): Promise<CheckResult> {
  const env = { CI: "true", NO_COLOR: "1" };
  const run = await sandbox.run(["sh", "-c", check.command], {
    cwd: "repo",
    env,
    timeoutMs: check.timeoutMs,
  });
  const note = run.timedOut ? `\n[killed after ${check.timeoutMs} ms]` : "";
  return {
    name: check.name,
    command: check.command,
    exitCode: run.exitCode,
    durationMs: run.durationMs,
    // The target's own keys may be printed.
    outputTail: maskSecrets(run.outputTail + note).slice(-TAIL_CHARS),
  };
}
