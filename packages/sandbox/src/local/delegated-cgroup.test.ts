import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findDelegatedGroup } from "./delegated-cgroup.ts";

let base: string;
beforeEach(() => (base = mkdtempSync(join(tmpdir(), "swarm-cgroups-"))));
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Plain files in place of the kernel's. */
function makePlaces(own: string) {
  const places = { root: join(base, "cgroup"), self: join(base, "self"), linger: join(base, "linger") };
  mkdirSync(join(places.root, own), { recursive: true });
  writeFileSync(join(places.root, "cgroup.controllers"), "cpu memory pids");
  writeFileSync(join(places.root, own, "cgroup.procs"), "17\n");
  writeFileSync(join(places.root, own, "cgroup.subtree_control"), "");
  writeFileSync(places.self, `0::${own}\n`);
  return places;
}

const refuse = async () => false;

test("a service that owns its group divides it, and moves its processes into a leaf", async () => {
  const own = "/system.slice/agentswarm.service";
  const places = makePlaces(own);
  expect(await findDelegatedGroup(places, refuse)).toBe(join(places.root, own));
  expect(readFileSync(join(places.root, own, "services/cgroup.procs"), "utf8")).toBe("17");
  expect(readFileSync(join(places.root, own, "cgroup.subtree_control"), "utf8")).toMatch(
    /^\+(memory|pids|cpu)/,
  );
});

test("the group that was divided before is found from its leaf", async () => {
  const own = "/user.slice/user-7.slice/user@7.service/agentswarm-17.scope";
  const places = makePlaces(own);
  writeFileSync(places.self, `0::${own}/services\n`);
  expect(await findDelegatedGroup(places, refuse)).toBe(join(places.root, own));
});

test.each([
  "/user.slice/user-7.slice/session-1.scope",
  "/user.slice/user-7.slice/user@7.service/app.slice/t.scope",
  "/",
])("a unit that is not the swarm's is not divided: %s", async (own) => {
  expect(await findDelegatedGroup(makePlaces(own), refuse)).toBeNull();
});

test("a machine with control groups of version 1 only has none", async () => {
  const places = makePlaces("/system.slice/agentswarm.service");
  rmSync(join(places.root, "cgroup.controllers"));
  expect(await findDelegatedGroup(places, refuse)).toBeNull();
});
