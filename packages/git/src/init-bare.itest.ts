import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { initBare } from "./init-bare.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-init-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("services that make the same repository at once get one repository and leave no temporary folder", async () => {
  for (let round = 0; round < 5; round += 1) {
    const bare = join(dir, `round-${round}`, "store.git");
    await Promise.all(Array.from({ length: 8 }, () => initBare(bare)));
    expect(git(bare, "rev-parse", "--is-bare-repository")).toBe("true");
    expect(readdirSync(join(dir, `round-${round}`))).toEqual(["store.git"]);
  }
});
