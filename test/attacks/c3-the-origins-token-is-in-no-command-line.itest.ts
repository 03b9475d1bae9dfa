import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openOrigin } from "@agentswarm/git";
import { openHttpOrigin, type HttpOrigin } from "../support/http-origin.ts";
import { git, makeStringKit } from "../support/string-kit.ts";

const TOKEN = "ghp_TOKEN0TOKEN0TOKEN0";
const RIGHT = { lost: new AbortController().signal };

let dir: string;
let origin: string;
let host: HttpOrigin;
/** Command lines that held the token. */
const seen = new Set<string>();
let looks = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "swarm-attack-c3-"));
  origin = makeStringKit(dir);
  host = await openHttpOrigin(dir);
  host.demands = `bot:${TOKEN}`;
  host.onRequest = lookAtCommandLines;
}, 300_000);
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

/** What another user of the machine sees by `ps`. */
function lookAtCommandLines(): void {
  looks += 1;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (line.includes(TOKEN)) seen.add(line.replaceAll("\0", " "));
    } catch {
      // The process has ended.
    }
  }
}

test.each([
  ["in GIT_REPO_URL", () => ({ url: host.url.replace("//", `//bot:${TOKEN}@`) + origin })],
  ["in a setting of its own", () => ({ url: host.url + origin, credential: `bot:${TOKEN}` })],
])("a token that is %s is in no command line while git fetches and pushes", async (where, address) => {
  const { url, credential } = address() as { url: string; credential?: string };
  const mirrorDir = join(dir, `mirror ${where}`);
  const timer = setInterval(lookAtCommandLines, 5);
  looks = 0;
  try {
    using mirror = await openOrigin({ url, credential, mirrorDir });
    const head = await mirror.head();
    const ref = `refs/heads/pushed-${where.length}`;
    expect(await mirror.push({ ref, from: null, to: head }, RIGHT)).toBe("published");
    await mirror.fetch();
    expect(git(origin, "rev-parse", ref)).toBe(head);
  } finally {
    clearInterval(timer);
  }
  expect(looks).toBeGreaterThan(4);
  expect([...seen]).toEqual([]);
  // Git keeps it nowhere either.
  expect(readFileSync(join(mirrorDir, "config"), "utf8")).not.toContain(TOKEN);
});

test("the error of a wrong token does not repeat it", async () => {
  const wrong = "ghp_WRONG0WRONG0WRONG0";
  const url = host.url.replace("//", `//bot:${wrong}@`) + origin;
  const opening = openOrigin({ url, mirrorDir: join(dir, "refused") });
  const error = (await opening.then(() => null, String)) ?? "";
  expect(error).toContain("GIT_REPO_URL");
  expect(error).not.toContain(wrong);
});
