import { expect, test } from "vitest";
import { diffStat } from "./diff-stat.ts";

const of = (task: string) => `# Task ${task}, attempt 1: Pad
# Head 1111

2\t1\tsrc/a.js
-\t-\tlogo.png

`;
const PATCH = `diff --git a/src/a.js b/src/a.js
--- a/src/a.js
+++ b/src/a.js
@@ -1 +1,2 @@
-# Task other, attempt 9: Nothing
+# Task other, attempt 9: Nothing
+diff --git
`;

test("the numbers of each attempt are left, and a patch cannot look like one", () => {
  const diff = `# ==== Task a\n${of("a")}${PATCH}\n# ==== Task b\n${of("b")}${PATCH}# The rest is left out: too long\n`;
  expect(diffStat(diff)).toBe(
    `# ==== Task a\n${of("a")}# ==== Task b\n${of("b")}# The rest is left out: too long\n`,
  );
});
