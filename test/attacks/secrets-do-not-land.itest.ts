import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptRef } from "@agentswarm/contracts";
import { startMerger, type TestMerger } from "../../services/merger/testing/start-merger.ts";
import { commitFiles } from "../support/commit-files.ts";
import { git } from "../support/string-kit.ts";

// Joined here, so that no scan of this repository finds a key.
const GITHUB = ["ghp", "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO2PzzZZ"].join("_");
const NPM = ["npm", "a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3"].join("_");
const AWS = ["AKIA", "Q6U5X2P7WZ3VNC4K"].join("");
const MODEL = ["sk", "proj", "a1B2c3D4e5".repeat(4)].join("-");
const PEM = [
  "-----BEGIN RSA PRIVATE",
  `KEY-----\n${"MIIEpAIBAAKCAQEA1234\n".repeat(6)}-----END RSA PRIVATE KEY-----\n`,
].join(" ");
const base64 = (text: string) => Buffer.from(text).toString("base64");

let merger: TestMerger;
beforeAll(async () => {
  merger = await startMerger({ env: { ALLOW_UNISOLATED: "true" } });
});
afterAll(() => merger[Symbol.asyncDispose]());

let sent = 0;
async function outcomeOf(files: Record<string, string>, later?: Record<string, string>) {
  const attempt = { taskId: `leak-${(sent += 1)}`, base: merger.head(), files };
  await merger.store([attempt]);
  const ref = attemptRef(attempt.taskId, 1);
  const store = join(merger.home, "store.git");
  if (later !== undefined) commitFiles(store, [{ ref, base: git(store, "rev-parse", ref), files: later }]);
  await merger.request([attempt]);
  return merger.outcome(attempt.taskId);
}

test.each([
  ["a token of GitHub", GITHUB, GITHUB],
  ["a token of npm", NPM, NPM],
  ["an id of AWS", AWS, AWS],
  ["a model key", MODEL, MODEL],
  ["a private key", PEM, "MIIEpAIBAAKCAQEA1234"],
  ["a token in base64", base64(GITHUB), base64(GITHUB)],
  ["a token in base64 twice", base64(base64(GITHUB)), base64(base64(GITHUB))],
  ["a token in hex", Buffer.from(GITHUB).toString("hex"), Buffer.from(GITHUB).toString("hex")],
  ["a private key in wrapped base64", base64(PEM).replaceAll(/(.{60})/g, "$1\n"), base64(PEM).slice(0, 40)],
  ["a token behind a switch of the linter", `// secretlint-disable\n${GITHUB}`, GITHUB],
])("%s holds the landing, and its reason does not repeat it", async (_, text, secret) => {
  const head = merger.head();
  const outcome = await outcomeOf({ "src/config.js": `export const one = 1;\n/*\n${text}\n*/\n` });
  expect(outcome).toMatchObject({
    kind: "held",
    why: expect.stringMatching(/secrets: src\/config\.js:[34] in commit/),
  });
  expect(JSON.stringify(outcome)).not.toContain(secret);
  expect(merger.service.output()).not.toContain(secret);
  expect(merger.head()).toBe(head);
});

test("a secret that a later commit deletes holds the landing", async () => {
  const outcome = await outcomeOf({ "src/late.js": `// ${GITHUB}\n` }, { "src/late.js": "// nothing\n" });
  expect(outcome).toMatchObject({ kind: "held", why: expect.stringContaining("src/late.js:1 in commit") });
});

test("a secret in a file's name holds the landing, and the name is not repeated", async () => {
  const outcome = await outcomeOf({ [`src/${GITHUB}.js`]: "export {};\n" });
  expect(outcome).toMatchObject({ kind: "held", why: expect.stringContaining("the name of a file") });
  expect(JSON.stringify(outcome)).not.toContain(GITHUB);
});

test("ordinary work lands", async () => {
  expect(await outcomeOf({ "src/plain.js": `export const hash = "${"ab12".repeat(10)}";\n` })).toMatchObject({
    kind: "landed",
  });
});

test("swarm.json on the trunk allows test keys by their files", async () => {
  const settings = { checks: { gate: [] }, secrets: { allow: ["fixtures/**"] } };
  const base = merger.head();
  commitFiles(merger.origin, [
    { ref: "refs/heads/main", base, files: { "swarm.json": JSON.stringify(settings) } },
  ]);
  expect(await outcomeOf({ "fixtures/key.pem": PEM })).toMatchObject({ kind: "landed" });
  expect(await outcomeOf({ "src/key.pem": PEM })).toMatchObject({ kind: "held" });
});
