import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";

/** A bare repository with attempts that all start at the same commit. */
export interface Synthetic {
  readonly dir: string;
  readonly base: string;
  /** The last commit of each attempt, in order; each is one commit on `base`. */
  readonly heads: readonly string[];
}

/** Like a usual project: 20 files in a folder, 20 folders in a parent folder. */
const PER_FOLDER = 20;
const LINES = 40;
const AGENT = "Agent <agent@example.com> 1700000000 +0000";

const folderOf = (nth: number) => {
  const part = Math.floor(nth / PER_FOLDER);
  return `src/area-${Math.floor(part / PER_FOLDER)}/part-${part % PER_FOLDER}`;
};
const pathOf = (nth: number) => `${folderOf(nth)}/file-${nth}.ts`;
const linesOf = (nth: number) =>
  Array.from({ length: LINES }, (_, line) => `const x${nth}_${line} = ${line};`);

/**
 * Makes a repository of `files` files and `branches` attempts, each adding one file and editing another. Of those,
 * `conflictPct` percent edit the same line of the same file, so that all but the first of them conflict.
 */
export async function makeSynthetic(
  dir: string,
  options: {
    files: number;
    branches: number;
    conflictPct: number;
    brokenPct?: number;
    extra?: Record<string, string>;
  },
): Promise<Synthetic> {
  const { files, branches, conflictPct, brokenPct = 0, extra = {} } = options;
  mkdirSync(dir, { recursive: true });
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", dir]);
  const child = spawn("git", ["fast-import", "--quiet", "--date-format=raw"], {
    cwd: dir,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let answers = "";
  child.stdout.on("data", (chunk: Buffer) => (answers += chunk.toString()));
  const say = async (text: string) => {
    if (!child.stdin.write(text)) await once(child.stdin, "drain");
  };
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const people = `author ${AGENT}\ncommitter ${AGENT}\n`;

  await say(`commit refs/heads/main\nmark :1\n${people}${data("Begin")}`);
  for (let nth = 0; nth < files; nth += 1)
    await say(`M 100644 inline ${pathOf(nth)}\n${data(`${linesOf(nth).join("\n")}\n`)}`);
  for (const [path, content] of Object.entries(extra)) await say(`M 100644 inline ${path}\n${data(content)}`);
  await say("get-mark :1\n");
  const every = (percent: number) => (percent === 0 ? Infinity : Math.round(100 / percent));
  for (let nth = 0; nth < branches; nth += 1) {
    // Edits are spread over all folders; two edit the same file only to conflict.
    const conflicts = nth % every(conflictPct) === 0;
    const target = conflicts ? 0 : 1 + ((nth * 7) % (files - 1));
    const lines = linesOf(target);
    // When every file has one edit, further edits take other lines, too far apart to conflict.
    const line = conflicts ? 0 : (Math.floor((nth * 7) / (files - 1)) * 4 + 3) % LINES;
    lines[line] = `const x${target}_${line} = "attempt ${nth}";`;
    const word = brokenPct > 0 && nth % every(brokenPct) === every(brokenPct) - 1 ? "BROKEN" : "whole";
    await say(
      `commit refs/swarm/task-${nth}/1\nmark :${nth + 2}\n${people}${data(`Attempt ${nth}`)}from :1\n` +
        `M 100644 inline ${folderOf(target)}/attempt-${nth}.ts\n${data(`export const state = "${word} ${nth}";\n`)}` +
        `M 100644 inline ${pathOf(target)}\n${data(`${lines.join("\n")}\n`)}get-mark :${nth + 2}\n`,
    );
  }
  child.stdin.end();
  await once(child, "close");
  const [base = "", ...heads] = answers.trim().split("\n");
  return { dir, base, heads };
}
