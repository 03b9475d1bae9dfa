import { expect, test } from "vitest";
import { startMerger, type Attempt } from "../../services/merger/testing/start-merger.ts";
import { openPackageRegistry } from "../support/package-registry.ts";

const innocent = (taskId: string, base: string): Attempt => ({
  taskId,
  base,
  files: { [`src/${taskId}.js`]: "// whole\n" },
});

test("an attempt whose packages cannot be installed is rejected, and the others of its batch land", async () => {
  await using registry = await openPackageRegistry([]);
  const swarm = { checks: { gate: ["true"] }, install: { allow: ["not-there"] } };
  await using merger = await startMerger({
    files: { "swarm.json": JSON.stringify(swarm) },
    env: { npm_config_registry: registry.url },
  });
  const base = merger.head();
  const manifest = {
    name: "string-kit",
    version: "1.0.0",
    type: "module",
    scripts: { test: "node --test" },
    dependencies: { "not-there": "1.0.0" },
  };
  const poison: Attempt = { taskId: "poison", base, files: { "package.json": JSON.stringify(manifest) } };
  const attempts = [innocent("one", base), poison, innocent("two", base), innocent("three", base)];
  await merger.store(attempts);
  await merger.request(attempts);
  const outcome = await merger.outcome("poison");
  expect(outcome).toMatchObject({
    kind: "rejected",
    check: "dependencies",
    outputTail: expect.stringContaining("E404"),
  });
  for (const taskId of ["one", "two", "three"]) expect((await merger.outcome(taskId)).kind).toBe("landed");
  expect(merger.landed().toSorted()).toEqual(["one", "three", "two"]);
});

test("an attempt that merges with another one into a package.json that is no JSON is rejected, and the others land", async () => {
  const before = [
    "{",
    '"author": {',
    '"files": 1,',
    '"main": 1,',
    '"types": 1,',
    '"bugs": {',
    '"man": 1,',
    '"bin": 1',
    "}",
    "}",
    "}",
  ];
  // No field that a person must approve. Each takes one object apart and with it one of the three brackets at the end: the same one.
  const without = (opening: string) => before.filter((line) => line !== opening).slice(0, -1);
  const manifest = (lines: readonly string[]) => ({ "package.json": `${lines.join("\n")}\n` });
  for (const lines of [before, without('"author": {'), without('"bugs": {')]) JSON.parse(lines.join("\n"));
  const swarm = JSON.stringify({ checks: { gate: ["true"] } });
  await using merger = await startMerger({ files: { "swarm.json": swarm, ...manifest(before) } });
  const base = merger.head();
  const first: Attempt = { taskId: "first", base, files: manifest(without('"author": {')) };
  const second: Attempt = { taskId: "second", base, files: manifest(without('"bugs": {')) };
  const attempts = [first, second, innocent("one", base)];
  await merger.store(attempts);
  await merger.request(attempts);
  const outcome = await merger.outcome("second");
  expect(outcome).toMatchObject({
    kind: "rejected",
    check: "dependencies",
    outputTail: expect.stringContaining("no JSON"),
  });
  for (const taskId of ["first", "one"]) expect((await merger.outcome(taskId)).kind).toBe("landed");
});
