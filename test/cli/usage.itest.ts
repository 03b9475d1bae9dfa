import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { freePort } from "../../tools/local/free-port.ts";
import { runSwarm } from "./run-swarm.ts";

const COMMANDS = [
  "submit",
  "status",
  "watch",
  "logs",
  "cancel",
  "say",
  "notes",
  "retry",
  "approve",
  "inbox",
  "decide",
  "jobs list",
  "jobs retry",
];

test("--help names every command, the doctor, the exit codes and the settings", async () => {
  const { code, stdout, stderr } = await runSwarm(["--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  for (const word of [
    "jobs",
    ...COMMANDS.filter((command) => !command.includes(" ")),
    "doctor",
    "Exit codes",
    "SWARM_URL",
    "SWARM_API_KEY",
  ])
    expect(stdout).toContain(word);
});

test.each(COMMANDS)("%s --help names arguments and options, and needs no api", async (command) => {
  const noApi = { SWARM_URL: `http://127.0.0.1:${await freePort()}` };
  const { code, stdout, stderr } = await runSwarm([...command.split(" "), "--help"], noApi);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`Usage: swarm ${command}`);
  expect(stdout).toContain("--json");
});

test.each([
  ["no command", [], "Usage: swarm"],
  ["an unknown command", ["sumbit", "x"], "unknown command 'sumbit'"],
  ["an unknown option", ["status", "--jsn"], "unknown option '--jsn'"],
  ["a missing argument", ["submit"], "missing required argument 'title'"],
  ["one argument too many", ["cancel", "a", "b"], "too many arguments"],
  ["a priority out of range", ["submit", "x", "-p", "11"], "a whole number from 1 to 10"],
  ["an attempt that is not a number", ["logs", "x", "-t", "--attempt", "last"], "a whole number from 1"],
])("%s is wrong usage: exit code 2, a message on stderr, nothing on stdout", async (_what, args, message) => {
  const { code, stdout, stderr } = await runSwarm(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});

test.each(["status", "status --json", "submit x", "watch x", "logs x", "retry x"])(
  "without an api `swarm %s` exits 3 and names the setting",
  async (line) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await runSwarm(line.split(" "), { SWARM_URL: url });
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(new RegExp(`^no api answers at ${url}.*SWARM_URL or API_PORT to where it is\n$`));
  },
);

test("the api is looked for where npm start listens by the settings in .env", async () => {
  const port = String(await freePort());
  const asked = async (env: Record<string, string>) => (await runSwarm(["status"], env)).stderr;
  expect(await asked({ API_PORT: port })).toContain(`no api answers at http://127.0.0.1:${port};`);
  const everywhere = { API_PORT: port, API_HOST: "0.0.0.0" };
  expect(await asked(everywhere)).toContain(`no api answers at http://127.0.0.1:${port};`);
  const other = { API_PORT: "1", SWARM_URL: `http://localhost:${port}` };
  expect(await asked(other)).toContain(`no api answers at http://localhost:${port};`);
});

test("an invalid address and a server that is not the api are reported with the name of the setting", async () => {
  const none = await runSwarm(["status"], { SWARM_URL: "not an address" });
  expect([none.code, none.stdout]).toEqual([3, ""]);
  expect(none.stderr).toContain("SWARM_URL");

  const server = createServer((_request, response) => response.end("<h1>Welcome</h1>")).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const other = await runSwarm(["status"], { SWARM_URL: url });
  server.closeAllConnections();
  server.close();
  expect([other.code, other.stdout]).toEqual([3, ""]);
  expect(other.stderr).toContain(`what answers at ${url} is not the api; correct SWARM_URL`);
});

test("a missing description file is named, and nothing is submitted", async () => {
  const { code, stdout, stderr } = await runSwarm(["submit", "x", "--file", "no-such-file.md"]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("no-such-file.md");
  expect(stderr).not.toContain("    at ");
});
