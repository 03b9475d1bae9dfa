import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { runCli } from "../../packages/cli/src/run-cli.ts";
import { makeKey } from "../../services/api/testing/make-key.ts";
import { startApi } from "../../services/api/testing/start-api.ts";

/** Runs `swarm` in this process, as it takes nine runs here. */
async function swarm(url: string, key: string, ...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(args, {
    env: { SWARM_URL: url, SWARM_API_KEY: key },
    out: out as unknown as NodeJS.WriteStream,
    err: err as unknown as NodeJS.WriteStream,
  });
  const [stdout, stderr] = await Promise.all([out.end(), err.end()].map((stream) => text(stream)));
  return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
}

test("an admin makes, rotates and revokes a key, which is refused with the role that is missing", async () => {
  await using api = await startApi();
  const admin = await makeKey(api.env, "admin", { name: "root" });
  const as = (key: string, ...args: string[]) => swarm(api.url, key, ...args);
  const made = await as(admin, "keys", "create", "--role", "reviewer", "--name", "ada");
  expect([made.code, made.stderr]).toEqual([0, "This is the key of ada, reviewer. It is shown this once.\n"]);
  const former = made.stdout.trim();
  expect((await as(former, "me")).stdout).toBe("ada  reviewer\n");
  expect((await as(former, "keys", "list")).stderr).toContain("this needs the role admin");
  const submitted = (await as(former, "submit", "Dark mode")).stdout.trim();
  expect((await as(admin, "status", submitted)).stdout).toContain("\n  submitted by ada (cli)\n");
  const rotated = await as(admin, "keys", "rotate", "ada", "--overlap-hours", "0");
  expect(rotated.stderr).toContain("The one before is refused from now on.");
  expect((await as(former, "me")).stderr).toContain("the key of ada was replaced");
  const key = rotated.stdout.trim();
  expect((await as(key, "me")).code).toBe(0);
  const listed = /^\S{12} {2}root {2}admin .*\n\S{12} {2}ada .*never expires\n$/;
  expect((await as(admin, "keys")).stdout).toMatch(listed);
  expect((await as(admin, "keys", "revoke", "ada")).stdout).toMatch(/^keys revoke: \S{12} ada\n$/);
  expect((await as(key, "me")).code).toBe(1);
});
