import { plainText } from "@agentswarm/contracts";

/** The result of one examination. */
export interface Finding {
  readonly name: string;
  /** `warn`: the swarm runs, with a limitation. */
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  /** The command or setting that fixes it; absent when it is ok. */
  readonly fix?: string;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail });
export const warn = (name: string, detail: string, fix: string): Finding => ({
  name,
  state: "warn",
  detail,
  fix,
});
export const fail = (name: string, detail: string, fix: string): Finding => ({
  name,
  state: "fail",
  detail,
  fix,
});

const MARK = { ok: "✓", warn: "!", fail: "✗" } as const;

/** One line per finding, with its fix below. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((finding) => finding.name.length));
  const lines = findings.map((finding) => {
    const indent = " ".repeat(width + 4);
    // The output of a check is the target's own.
    const detail = plainText(finding.detail).replaceAll("\n", `\n${indent}| `);
    const line = `${MARK[finding.state]} ${finding.name.padEnd(width)}  ${detail}`;
    return finding.fix === undefined ? line : `${line}\n${indent}→ ${finding.fix}`;
  });
  return `${lines.join("\n")}\n`;
}
