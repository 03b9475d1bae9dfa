import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { includesRole, PERSON_ROLES, REST, type FeatureSummary, type Route } from "@agentswarm/contracts";
import { buildTestApp, type TestApp } from "../../testing/build-test-app.ts";
import { openKeyRing } from "../auth/key-ring.ts";
import { addKey } from "../auth/keys.ts";
import type { ApiContext } from "../context.ts";

/** Bodies with which a request reaches its handler. */
const BODIES: Readonly<Record<string, object>> = {
  "/v1/features/:id/budget": { usd: 1 },
  "/v1/features/:id/notes": { text: "Use the other parser" },
  "/v1/tasks/:id/notes": { text: "Use the other parser" },
};
const FEATURES: Readonly<Record<string, string | undefined>> = {
  own: "submitter",
  others: "ada",
  old: undefined,
};

const routes: readonly [string, Route][] = Object.entries(REST);
const limited = routes.filter(([, route]) => route.needsForOthers !== undefined);

let tested: TestApp;
let folder: string;
const keys = new Map<string, string>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "swarm-own-"));
  const ring = openKeyRing(join(folder, "keys.json"));
  for (const role of PERSON_ROLES) {
    const made = await ring.change((all, now) => addKey(all, { role, name: role, expiresAt: null }, now));
    keys.set(role, made.text);
  }
  const model = {
    findFeature: async (id: string) => ({ id, by: FEATURES[id], status: "failed" }) as FeatureSummary,
    // A task has the id of its feature here.
    task: async (id: string) => ({ id, featureId: id, status: "failed" }),
  };
  tested = await buildTestApp(ring, { model } as unknown as Partial<ApiContext>);
});
afterAll(async () => {
  await tested[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test("what a submitter may do to a feature of its own only is in the table", () => {
  expect(limited.map(([name]) => name)).toEqual(
    expect.arrayContaining(["cancelFeature", "retryFeature", "setFeatureBudget"]),
  );
});

describe.each(limited)("%s", (_name, route) => {
  test.each(Object.keys(FEATURES))(
    "on a feature that is %s is let through by who submitted it",
    async (id) => {
      for (const role of PERSON_ROLES) {
        const { statusCode, body } = await tested.app.inject({
          method: route.method,
          url: route.path.replace(":id", id),
          headers: { authorization: `Bearer ${keys.get(role)}` },
          ...(route.body && { payload: BODIES[route.path] ?? {} }),
        });
        const needed = FEATURES[id] === role ? route.needs : (route.needsForOthers ?? route.needs);
        const allowed = needed === "nothing" || includesRole(role, needed);
        expect([role, statusCode === 403, statusCode === 400, body]).toEqual([role, !allowed, false, body]);
        // Whoever may ask for some features gets the submitter of this one in the error.
        if (!allowed && role === "submitter")
          expect(JSON.parse(body)).toMatchObject({ type: "urn:agentswarm:not-yours" });
      }
    },
  );
});
