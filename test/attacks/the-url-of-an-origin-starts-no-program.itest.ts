import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openOrigin } from "@agentswarm/git";

const dir = mkdtempSync(join(tmpdir(), "swarm-url-"));
const planted = join(dir, "planted");
const path = process.env["PATH"] ?? "";
beforeAll(() => {
  // Git starts `git-remote-<name>` of the PATH for an address `<name>::…`.
  const bin = join(dir, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "git-remote-evil"), `#!/bin/sh\ntouch ${planted}\n`);
  chmodSync(join(bin, "git-remote-evil"), 0o755);
  process.env["PATH"] = `${bin}${delimiter}${path}`;
});
afterAll(() => {
  process.env["PATH"] = path;
  rmSync(dir, { recursive: true, force: true });
});

test.each(["ext::sh -c touch% PLANTED", "evil::x", "evil://host/x", "ftp://127.0.0.1/x"])(
  "git reaches no origin at %s, and the reason names the transport",
  async (url) => {
    const address = url.replace("PLANTED", planted);
    const opened = openOrigin({ url: address, mirrorDir: join(dir, "mirror.git") });
    await expect(opened).rejects.toThrow(/transport '\w+' not allowed/);
    expect(existsSync(planted)).toBe(false);
  },
);

test.each(["--upload-pack=touch PLANTED", "-oProxyCommand=touch PLANTED"])(
  "an origin %s is no option of git",
  async (url) => {
    const address = url.replace("PLANTED", planted);
    await expect(openOrigin({ url: address, mirrorDir: join(dir, "mirror.git") })).rejects.toThrow();
    expect(existsSync(planted)).toBe(false);
  },
);
