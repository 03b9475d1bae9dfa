import { execFileSync } from "node:child_process";

/** One commit to be made: what it writes onto its base, and the ref that then names it. */
export interface FilesToCommit {
  readonly ref: string;
  readonly base: string;
  readonly files: Readonly<Record<string, string>>;
}

const AGENT = "Agent <agent@example.com> 1700000000 +0000";
const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;

/** Makes commits in a bare repository by a single fast-import, as agents would have left them. */
export function commitFiles(dir: string, commits: readonly FilesToCommit[]): void {
  const input = commits.map(({ ref, base, files }) => {
    const changes = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`);
    // An agent may write anything here, another task's name too.
    const message = `Work on ${ref}\n\nSwarm-Task: somebody-elses`;
    const head = `commit ${ref}\nauthor ${AGENT}\ncommitter ${AGENT}\n${data(message)}from ${base}\n`;
    return `${head}${changes.join("")}\n`;
  });
  const args = ["fast-import", "--quiet", "--force", "--date-format=raw"];
  execFileSync("git", args, { cwd: dir, input: input.join("") });
}
