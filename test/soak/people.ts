import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** People who push to the trunk of the swarm. */
export interface People {
  push(): Promise<void>;
  readonly pushed: number;
}

const TRIES = 5;

/** Quiet, because a push that is refused is expected. */
function git(cwd: string, ...args: string[]): void {
  execFileSync("git", args, { cwd, stdio: "ignore" });
}

export function openPeople(origin: string, dir: string): People {
  git(join(dir, ".."), "clone", "-q", origin, dir);
  git(dir, "config", "user.name", "A person");
  git(dir, "config", "user.email", "person@example.com");
  let pushed = 0;
  return {
    get pushed() {
      return pushed;
    },
    async push() {
      for (let tries = 0; tries < TRIES; tries += 1) {
        git(dir, "fetch", "-q", "origin");
        git(dir, "reset", "-q", "--hard", "origin/main");
        await mkdir(join(dir, "notes"), { recursive: true });
        await writeFile(join(dir, "notes", `${pushed}.md`), `Note ${pushed}\n`);
        git(dir, "add", "-A");
        git(dir, "commit", "-q", "-m", `Note ${pushed}`);
        try {
          git(dir, "push", "-q", "origin", "HEAD:main");
          pushed += 1;
          return;
        } catch {
          // A landing was first.
        }
      }
    },
  };
}
