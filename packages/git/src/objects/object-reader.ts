import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { Fault } from "@agentswarm/contracts";
import type { GitLimits } from "../content-limits.ts";
import { overrunOf } from "../git-environment.ts";
import { gitCommand } from "../run-git.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

export interface GitObject {
  readonly id: string;
  readonly type: ObjectType;
  readonly body: Buffer;
}

/** Asks one long-running `git cat-file --batch-command`: a process per object would cost 4 ms each. */
export interface ObjectReader extends Disposable {
  /** `name`: an id or a ref. Null: there is no such object. Throws Fault `git.failed`, retryable when git ended. */
  read(name: string): Promise<GitObject | null>;
  /** The size of an object's content in bytes, without reading it; null and faults as in `read`. */
  size(name: string): Promise<number | null>;
}

type PendingAnswer = { readonly reject: (error: Fault) => void } & (
  | { readonly command: "contents"; readonly resolve: (object: GitObject | null) => void }
  | { readonly command: "info"; readonly resolve: (bytes: number | null) => void }
);

const NEWLINE = 0x0a;

/** For objects of a sandbox. An overrun is a Fault `git.refused`. */
export interface ReaderLimits extends GitLimits {
  /** The largest object of each type; without a number any size is read. */
  readonly most: Readonly<Partial<Record<ObjectType, number>>>;
}

export function openObjectReader(dir: string, limits?: ReaderLimits): ObjectReader {
  let child: ChildProcessWithoutNullStreams | null = null;
  const pending: PendingAnswer[] = [];
  let chunks: Buffer[] = [];
  let buffered = 0;
  /** Bytes that must be buffered before the next object can be parsed. */
  let needed = 0;

  const parse = () => {
    if (buffered < needed) return;
    const data = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    needed = 0;
    let at = 0;
    for (;;) {
      const headerEnd = data.indexOf(NEWLINE, at);
      if (headerEnd === -1) break;
      const [id = "", type = "", size = "0"] = data.toString("latin1", at, headerEnd).split(" ");
      if (type === "missing") {
        pending.shift()?.resolve(null);
        at = headerEnd + 1;
        continue;
      }
      const [asked] = pending;
      if (asked?.command === "info") {
        pending.shift();
        asked.resolve(Number(size));
        at = headerEnd + 1;
        continue;
      }
      const most = limits?.most[type as ObjectType] ?? Infinity;
      if (Number(size) > most) {
        refuse(`the ${type} ${id} has ${size} bytes (limit ${most})`);
        return;
      }
      const from = headerEnd + 1;
      const to = from + Number(size);
      if (data.length < to + 1) {
        needed = to + 1 - at;
        break;
      }
      // A copy: a slice would keep the whole chunk in memory while the object is cached.
      pending.shift();
      asked?.resolve({ id, type: type as ObjectType, body: Buffer.from(data.subarray(from, to)) });
      at = to + 1;
    }
    const rest = data.subarray(at);
    chunks = rest.length === 0 ? [] : [rest];
    buffered = rest.length;
  };

  const end = (fault: Fault) => {
    child = null;
    chunks = [];
    buffered = 0;
    needed = 0;
    for (const one of pending.splice(0)) one.reject(fault);
  };

  /** Ends the process: the rest of its output is of no use. */
  const refuse = (why: string) => {
    const running = child;
    end(new Fault("git.refused", why));
    running?.kill("SIGKILL");
  };

  const open = () => {
    const { command, args, env } = gitCommand(["cat-file", "--batch-command"], {}, limits);
    const started = spawn(command, args, { cwd: dir, env, stdio: "pipe" });
    let stderr = "";
    started.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2_000)));
    started.stdout.on("data", (chunk: Buffer) => {
      if (child !== started) return;
      chunks.push(chunk);
      buffered += chunk.length;
      parse();
    });
    started.stdin.on("error", () => undefined);
    const fail = (why: string) => {
      if (child === started) end(new Fault("git.failed", `git cat-file: ${why}`, { retryable: true }));
    };
    started.on("error", (error) => fail(error.message));
    started.on("close", (code, killedBy) => {
      const overrun = limits && overrunOf(limits, killedBy, stderr);
      if (overrun && child === started) end(new Fault("git.refused", `git cat-file ${overrun}`));
      else fail(`ended with ${code}: ${stderr.trim()}`);
    });
    return started;
  };

  const ask = (name: string, answer: PendingAnswer) => {
    child ??= open();
    pending.push(answer);
    child.stdin.write(`${answer.command} ${name}\n`);
  };

  return {
    read(name) {
      const { promise, resolve, reject } = Promise.withResolvers<GitObject | null>();
      ask(name, { command: "contents", resolve, reject });
      return promise;
    },
    size(name) {
      const { promise, resolve, reject } = Promise.withResolvers<number | null>();
      ask(name, { command: "info", resolve, reject });
      return promise;
    },
    [Symbol.dispose]() {
      const running = child;
      child = null;
      for (const one of pending.splice(0)) one.reject(new Fault("git.failed", "git cat-file: closed"));
      running?.kill("SIGKILL");
    },
  };
}
