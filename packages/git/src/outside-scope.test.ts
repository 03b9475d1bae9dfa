import { expect, test } from "vitest";
import { outsideScope } from "./outside-scope.ts";

const FILES = ["src/a.ts", "src/deep/b.ts", "src/.hidden/c.ts", "docs/a.md", "README.md", ".github/ci.yml"];

test.each([
  [[], []],
  [["src/**"], ["docs/a.md", "README.md", ".github/ci.yml"]],
  [["src/"], ["docs/a.md", "README.md", ".github/ci.yml"]],
  [["src/*"], ["src/deep/b.ts", "src/.hidden/c.ts", "docs/a.md", "README.md", ".github/ci.yml"]],
  [["*.md"], ["src/a.ts", "src/deep/b.ts", "src/.hidden/c.ts", "docs/a.md", ".github/ci.yml"]],
  [["**/*.md", "src/**/*.ts", ".github/ci.yml"], []],
  [["src/a.ts"], ["src/deep/b.ts", "src/.hidden/c.ts", "docs/a.md", "README.md", ".github/ci.yml"]],
] as const)("scope %j leaves outside %j", (scope, outside) => {
  expect(outsideScope(FILES, [...scope])).toEqual([...outside]);
});
