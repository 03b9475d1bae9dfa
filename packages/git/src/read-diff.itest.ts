import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCommits } from "../testing/make-commits.ts";
import { initBare } from "./init-bare.ts";
import { readDiff } from "./read-diff.ts";

const root = mkdtempSync(join(tmpdir(), "swarm-diff-"));
const dir = join(root, "store.git");
const home = process.env["HOME"];
beforeAll(() => initBare(dir));
afterAll(() => {
  process.env["HOME"] = home;
  rmSync(root, { recursive: true, force: true });
});

const file = (content: string) => ({ mode: "100644", content });
type Texts = Readonly<Record<string, string>>;
/** Two commits with these files, and what readDiff says of them. */
const diffOf = (before: Texts, after: Texts, maxBytes?: number) => {
  const files = (texts: Texts) =>
    Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, file(text)]));
  const [base = "", head = ""] = makeCommits(dir, [
    { files: files(before) },
    { files: files(after), parent: 0 },
  ]);
  return readDiff(dir, base, head, maxBytes);
};

test("a diff has the lines of each file, then the patch, and binary files by their names", async () => {
  const { text, cut } = await diffOf(
    { "src/a.js": "one\ntwo\n", "old.js": "gone\n" },
    { "src/a.js": "one\nzwei\n", "größe.bin": "\0\u0001" },
  );
  expect(cut).toBeNull();
  const [counts = "", patch = ""] = text.split("\n\n");
  expect(counts.split("\n")).toEqual(["-\t-\tgröße.bin", "0\t1\told.js", "1\t1\tsrc/a.js"]);
  expect(patch).toContain("Binary files /dev/null and b/größe.bin differ");
  expect(patch).toContain("\n one\n-two\n+zwei\n");
});

test("neither attributes of the repository nor settings of the user hide a file or start a program", async () => {
  const started = join(root, "started");
  writeFileSync(join(root, "attributes"), "*.js diff=evil\n*.ts binary\n");
  const run = `touch ${started}; cat`;
  const settings = [
    `[core]\n attributesFile = ${join(root, "attributes")}`,
    `[diff]\n external = ${run}\n noprefix = true\n[diff "evil"]\n textconv = ${run}\n command = ${run}`,
  ];
  writeFileSync(join(root, ".gitconfig"), settings.join("\n"));
  process.env["HOME"] = root;
  const { text } = await diffOf(
    {},
    { ".gitattributes": "*.js diff=evil\n*.ts binary -diff\n", "a.js": "let a;\n", "b.ts": "let b;\n" },
  );
  expect(existsSync(started)).toBe(false);
  expect(text).toContain("+++ b/a.js\n@@ -0,0 +1 @@\n+let a;");
  expect(text).toContain("+++ b/b.ts\n@@ -0,0 +1 @@\n+let b;");
});

test("hidden characters of names and lines are shown, and keys are masked", async () => {
  // Joined here, so that no scan of this repository finds a key.
  const key = ["AKIA", "Q6U5X2P7WZ3VNC4K"].join("");
  const { text } = await diffOf(
    {},
    { "a\u202etxt.js": "x\u001b[2Ky\rz\n", "k.js": `const key = "${key}";\n` },
  );
  expect(text).toContain("a\\u{202e}txt.js");
  expect(text).toContain("+x\\u{1b}[2Ky\\u{d}z\n");
  expect(text).toContain('+const key = "[redacted]";');
});

test("a large diff is cut behind a whole line, and says so", async () => {
  const line = "0123456789".repeat(10);
  const { text, cut } = await diffOf({}, { "a.js": `${line}\n`.repeat(50_000), "b.js": "let b;\n" }, 100_000);
  expect(cut).toBe("the diff has more than 100000 bytes");
  expect(text.length).toBeLessThanOrEqual(100_000);
  expect(text.startsWith("50000\t0\ta.js\n1\t0\tb.js\n")).toBe(true);
  expect(text.endsWith(`\n+${line}\n`)).toBe(true);
});

test("where git needs too much to compare the files, their names are left", async () => {
  const path = process.env["PATH"] ?? "";
  // A git that has no memory for a patch.
  const script = `#!/bin/sh
case "$*" in *--patch*) echo "fatal: Out of memory, malloc failed" >&2; exit 128 ;; esac
PATH=${JSON.stringify(path)} exec git "$@"
`;
  writeFileSync(join(root, "git"), script, { mode: 0o755 });
  const [base = "", head = ""] = makeCommits(dir, [
    { files: { "a.js": file("1\n") } },
    { files: { "a.js": file("2\n"), "b.js": file("3\n") }, parent: 0 },
  ]);
  process.env["PATH"] = `${root}:${path}`;
  try {
    const { text, cut } = await readDiff(dir, base, head);
    expect(cut).toContain("needs more than 384 MiB of memory");
    expect(text).toBe("M\ta.js\nA\tb.js\n");
  } finally {
    process.env["PATH"] = path;
  }
});
