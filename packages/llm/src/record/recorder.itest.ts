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

const turn = (say: string, ...tools: string[]) => ({ say, calls: tools.map((tool) => ({ tool, args: {} })) });
const written = async (name: string) => parse(await readFile(join(dir, name), "utf8")) as unknown;

test("the attempt that began last stays; what an earlier one still says changes nothing", async () => {
  const recorder = openRecorder(dir);
  await recorder.turn("f/t/work", "attempt 1", turn("first", "ls"));
  await recorder.turn("f/t/work", "attempt 2", turn("second", "read"));
  await recorder.turn("f/t/work", "attempt 1", turn("late", "write"));
  await recorder.turn("f/t/work", "attempt 2", turn("done"));
  const steps = [turn("second", "read"), turn("done")];
  expect(await written("f_t_work.yaml")).toEqual([{ key: "f/t/work", steps }]);
});

test("words without a call go with the next step, as they could not be told apart when played", async () => {
  const recorder = openRecorder(dir);
  for (const one of [turn("a", "ls"), turn("b"), turn("c", "read"), turn("d")])
    await recorder.turn("f/u/fix", "1", one);
  const steps = [turn("a", "ls"), turn("b\nc", "read"), turn("d")];
  expect(await written("f_u_fix.yaml")).toEqual([{ key: "f/u/fix", steps }]);
});

test("a structured answer is kept, the last one of several", async () => {
  const recorder = openRecorder(dir);
  await recorder.answer("f/-/plan", { tasks: [1] });
  await recorder.answer("f/-/plan", { tasks: ["a\nb: c"] });
  expect(await written("f_-_plan.yaml")).toEqual([{ key: "f/-/plan", answer: { tasks: ["a\nb: c"] } }]);
});

test("what was said comes back as it was, however long its lines and wherever they begin", async () => {
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
    const said = { say, calls: [{ tool: "edit", args: { edits: [{ content }], [content]: say } }] };
    await recorder.turn("f/exact/work", String(Math.random()), said);
    expect(await written("f_exact_work.yaml")).toEqual([{ key: "f/exact/work", steps: [said] }]);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("a key from a sandbox leads nowhere else", async () => {
  const recorder = openRecorder(dir);
  await recorder.turn("../../x/work", "1", turn("a", "ls"));
  await recorder.turn("..%2f/../work", "1", turn("a", "ls"));
  await recorder.turn("a/b", "1", turn("a", "ls"));
  expect(readdirSync(dir)).toEqual(["_2f_work.yaml"]);
});
