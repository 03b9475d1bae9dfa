import { expect, test } from "vitest";
import { featureSubmissionSchema } from "./feature.ts";
import { DEFAULT_REPO, isTrunkHealth, repoIdSchema, repoScoped, trunkHealthId } from "./repo.ts";

test("what names no repository belongs to the default one", () => {
  const old = { id: "feature-1", title: "One", source: "rest", createdAt: 1 };
  expect(featureSubmissionSchema.parse(old).repoId).toBe(DEFAULT_REPO);
});

test("the default repository keeps the plain names, so that no data moves", () => {
  expect(repoScoped("merger", DEFAULT_REPO)).toBe("merger");
  expect(trunkHealthId(DEFAULT_REPO)).toBe("trunk-health");
});

test("two repositories share no name", () => {
  expect(repoScoped("merger", "docs")).toBe("merger-docs");
  expect(trunkHealthId("docs")).toBe("trunk-health-docs");
  expect(isTrunkHealth(trunkHealthId("docs"))).toBe(true);
  expect(isTrunkHealth("feature-trunk-health")).toBe(false);
});

test("a repository id is safe in a file name and a Redis key", () => {
  for (const bad of ["", "a/b", "A", "..", "a:b", "x".repeat(33)]) {
    expect(repoIdSchema.safeParse(bad).success).toBe(false);
  }
});
