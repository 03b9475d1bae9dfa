import { execFileSync } from "node:child_process";
import type { Files } from "./histories.ts";

/** One commit to be made. `parent`: the index of an earlier commit in the list. */
export interface CommitToMake {
  readonly files: Files;
  readonly parent?: number;
  /** An existing commit as the parent. */
  readonly on?: string;
  readonly message?: string;
}

/** Makes commits in a repository by one `git fast-import`. Returns their ids in order. */
export function makeCommits(dir: string, commits: readonly CommitToMake[]): string[] {
  const parts: Buffer[] = [];
  const write = (text: string) => parts.push(Buffer.from(text));
  const data = (text: string) => write(`data ${Buffer.byteLength(text)}\n${text}\n`);
  for (const [index, { files, parent, on, message }] of commits.entries()) {
    // Marks start at 1.
    write(`commit refs/made/${index}\nmark :${index + 1}\n`);
    write(
      "author Agent <agent@example.com> 1700000000 +0200\ncommitter Agent <agent@example.com> 1700000000 +0200\n",
    );
    data(message ?? `commit ${index}`);
    const from = parent === undefined ? on : `:${parent + 1}`;
    if (from !== undefined) write(`from ${from}\ndeleteall\n`);
    for (const [path, { mode, content }] of Object.entries(files)) {
      write(`M ${mode} inline ${JSON.stringify(path)}\n`);
      data(content);
    }
    write(`get-mark :${index + 1}\n`);
  }
  const answer = execFileSync("git", ["fast-import", "--quiet", "--force", "--date-format=raw"], {
    cwd: dir,
    input: Buffer.concat(parts),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
  return answer.trim().split("\n");
}
