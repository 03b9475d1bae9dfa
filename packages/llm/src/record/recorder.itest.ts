import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { afterEach, expect, test } from "vitest";
import { openRecorder } from "./recorder.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-recorder-"));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const step = (say: string, ...tools: string[]) => ({ say, calls: tools.map((tool) => ({ tool, args: {} })) });
const written = async (name: string) => parse(await readFile(join(dir, name), "utf8")) as unknown;

test("a later attempt replaces an earlier one, whose late steps are ignored", async () => {
  const recorder = openRecorder(dir);
  await recorder.recordStep("f/t/work", "attempt 1", step("first", "ls"));
  await recorder.recordStep("f/t/work", "attempt 2", step("second", "read"));
  await recorder.recordStep("f/t/work", "attempt 1", step("late", "write"));
  await recorder.recordStep("f/t/work", "attempt 2", step("done"));
  const steps = [step("second", "read"), step("done")];
  expect(await written("f_t_work.yaml")).toEqual([{ key: "f/t/work", steps }]);
});

test("text without a call is joined to the next step", async () => {
  const recorder = openRecorder(dir);
  for (const one of [step("a", "ls"), step("b"), step("c", "read"), step("d")])
    await recorder.recordStep("f/u/fix", "1", one);
  const steps = [step("a", "ls"), step("b\nc", "read"), step("d")];
  expect(await written("f_u_fix.yaml")).toEqual([{ key: "f/u/fix", steps }]);
});

test("the last structured answer of a key is kept", async () => {
  const recorder = openRecorder(dir);
  await recorder.recordAnswer("f/-/plan", { tasks: [1] });
  await recorder.recordAnswer("f/-/plan", { tasks: ["a\nb: c"] });
  expect(await written("f_-_plan.yaml")).toEqual([{ key: "f/-/plan", answer: { tasks: ["a\nb: c"] } }]);
});

test("every text is read back unchanged, whatever its lines", async () => {
  const recorder = openRecorder(dir);
  const text = fc
    .array(
      fc.oneof(
        fc.string(),
        fc.constantFrom(" ", "\n", " \n", "\t", "\r\n", "  - a: ", "word ".repeat(30), "# ", "é"),
      ),
    )
    .map((parts) => parts.join(""));
  const property = fc.asyncProperty(text, text, async (say, content) => {
    const spoken = { say, calls: [{ tool: "edit", args: { edits: [{ content }], [content]: say } }] };
    await recorder.recordStep("f/exact/work", String(Math.random()), spoken);
    expect(await written("f_exact_work.yaml")).toEqual([{ key: "f/exact/work", steps: [spoken] }]);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("a key from a sandbox cannot name a path outside the folder", async () => {
  const recorder = openRecorder(dir);
  await recorder.recordStep("../../x/work", "1", step("a", "ls"));
  await recorder.recordStep("..%2f/../work", "1", step("a", "ls"));
  await recorder.recordStep("a/b", "1", step("a", "ls"));
  expect(readdirSync(dir)).toEqual(["_2f_work.yaml"]);
});
