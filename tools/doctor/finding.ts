/** What the doctor says about one thing. */
export interface Finding {
  readonly name: string;
  /** `warn`: the swarm runs, with something less. */
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  /** How to mend it; absent when it is ok. */
  readonly mend?: string;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail });
export const warn = (name: string, detail: string, mend: string): Finding => ({
  name,
  state: "warn",
  detail,
  mend,
});
export const fail = (name: string, detail: string, mend: string): Finding => ({
  name,
  state: "fail",
  detail,
  mend,
});

const MARK = { ok: "✓", warn: "!", fail: "✗" } as const;

/** One line per finding, with the mend below it where there is one. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((finding) => finding.name.length));
  const lines = findings.map((finding) => {
    const line = `${MARK[finding.state]} ${finding.name.padEnd(width)}  ${finding.detail}`;
    return finding.mend === undefined ? line : `${line}\n  ${" ".repeat(width)}  → ${finding.mend}`;
  });
  return `${lines.join("\n")}\n`;
}
