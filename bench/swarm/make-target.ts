import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The only check: one test file that loads and tests every part of the project. */
const TEST = `import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

test("every part gives its own number", async () => {
  for (const name of readdirSync(new URL("../src", import.meta.url))) {
    const { part } = await import(new URL("../src/" + name, import.meta.url));
    assert.equal(part(), Number(/\\d+/.exec(name)[0]));
  }
});
`;

export const partPath = (nth: number) => `src/part-${nth}.js`;
export const partText = (nth: number) => `export function part() {\n  return ${nth};\n}\n`;

/** Makes a small project with one `node --test` check, as a folder that seeds an origin. */
export async function makeTarget(dir: string): Promise<string> {
  const files = {
    "package.json": JSON.stringify({ name: "parts", version: "1.0.0", type: "module" }),
    "swarm.json": JSON.stringify({
      checks: { gate: [{ name: "test", command: "node --test" }], sweep: [] },
    }),
    "README.md": "# Parts\n\nEach file of src exports a function that gives the number in its name.\n",
    "test/parts.test.js": TEST,
    [partPath(0)]: partText(0),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return dir;
}
