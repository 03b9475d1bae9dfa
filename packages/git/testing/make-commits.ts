import { execFileSync } from "node:child_process";
import type { Files } from "./histories.ts";

/** One commit to be made. `parent` is an earlier one's number in the list, from 0. */
export interface CommitToMake {
  readonly files: Files;
  readonly parent?: number;
  /** A commit that is there already, to be the parent. */
  readonly on?: string;
  readonly message?: string;
}

/** Makes commits in a repository by one `git fast-import`, and gives back their ids in order. */
export function makeCommits(dir: string, commits: readonly CommitToMake[]): string[] {
  const parts: Buffer[] = [];
  const say = (text: string) => parts.push(Buffer.from(text));
  const data = (text: string) => say(`data ${Buffer.byteLength(text)}\n${text}\n`);
  for (const [index, { files, parent, on, message }] of commits.entries()) {
    // Marks begin at 1.
    say(`commit refs/made/${index}\nmark :${index + 1}\n`);
    say(
      "author Agent <agent@example.com> 1700000000 +0200\ncommitter Agent <agent@example.com> 1700000000 +0200\n",
    );
    data(message ?? `commit ${index}`);
    const from = parent === undefined ? on : `:${parent + 1}`;
    if (from !== undefined) say(`from ${from}\ndeleteall\n`);
    for (const [path, { mode, content }] of Object.entries(files)) {
      say(`M ${mode} inline ${JSON.stringify(path)}\n`);
      data(content);
    }
    say(`get-mark :${index + 1}\n`);
  }
  const answer = execFileSync("git", ["fast-import", "--quiet", "--force", "--date-format=raw"], {
    cwd: dir,
    input: Buffer.concat(parts),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
  return answer.trim().split("\n");
}
