import { createHash } from "node:crypto";
import type { CheckResult, Failure } from "@agentswarm/contracts";

const SIGNATURE_CHARS = 10;
const ERROR_LINES = 5;
const MAX_FILES = 20;
/** The repository in the sandbox: the beginning of absolute paths in a tool's output. */
const SANDBOX_PATH = /(?:file:\/\/)?\/(?:[\w.@-]+\/)*repo\//g;
const FILE =
  /(?:^|[\s("'`[])((?:[\w@.-]+\/)*[\w@.-]+\.(?:[cm]?[jt]sx?|vue|svelte|py|rs|go|java|css|html|json))(?=[:()\s"'`\],]|$)/g;
const ERROR_LINE = /\berror\b|\bfail|not ok|✖|AssertionError|Exception|Cannot|expected|!==/i;

/**
 * The failures of checks, one for each failed check. The same failure has the same signature in every run: paths of the
 * sandbox, line numbers, times and ids are removed from the output first.
 */
export function failuresOf(results: readonly CheckResult[]): Failure[] {
  return results.filter((result) => result.exitCode !== 0).map(failureOf);
}

function failureOf(result: CheckResult): Failure {
  const check = result.name ?? result.command;
  const lines = normalise(result.outputTail).split("\n");
  const errors = [...new Set(lines.filter((line) => ERROR_LINE.test(line)))].slice(0, ERROR_LINES);
  const files = filesOf(result.outputTail);
  const digest = createHash("sha256")
    .update(JSON.stringify([check, files[0] ?? "", errors]))
    .digest("hex");
  return { signature: digest.slice(0, SIGNATURE_CHARS), check, files, outputTail: result.outputTail };
}

/** Replaces the parts of a tool's output that differ between two runs of the same failure. */
function normalise(text: string): string {
  return text
    .replaceAll(SANDBOX_PATH, "")
    .replaceAll(/\b[0-9a-f]{7,40}\b/g, "<id>")
    .replaceAll(/:\d+(?::\d+)?/g, ":<n>")
    .replaceAll(/\(\d+,\d+\)/g, "(<n>)")
    .replaceAll(/\b\d+(?:\.\d+)?\s?(?:ms|s|seconds)\b/g, "<time>")
    .replaceAll(/duration_ms:? [\d.]+/g, "duration_ms <time>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "<time>");
}

function filesOf(text: string): string[] {
  const files = new Set<string>();
  for (const match of text.replaceAll(SANDBOX_PATH, "").matchAll(FILE)) {
    const [, file = ""] = match;
    if (!file.startsWith("node_modules/") && !file.startsWith("node:")) files.add(file);
  }
  return [...files].slice(0, MAX_FILES);
}
