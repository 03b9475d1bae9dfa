import { expect, test } from "vitest";
import { targetSettingsSchema, type ReviewSettings } from "@agentswarm/contracts";
import { whyReview, type ReviewFacts } from "./why-review.ts";

const NO_RULES: ReviewSettings = { paths: [], kinds: [] };
const FACTS: ReviewFacts = { files: ["src/a.ts", "src/auth/login.ts"], lines: 40, kind: "build" };
const byRules = (rules: Partial<ReviewSettings>, facts: Partial<ReviewFacts> = {}) =>
  whyReview("policy", { ...NO_RULES, ...rules }, { ...FACTS, ...facts });

test("LANDING=trunk asks nobody, LANDING=hold asks for every landing, whatever the rules say", () => {
  const rules = { ...NO_RULES, paths: ["**"] };
  expect(whyReview("trunk", rules, FACTS)).toBeNull();
  expect(whyReview("hold", NO_RULES, FACTS)).toBe("every landing waits for a person (LANDING=hold)");
});

test("a policy without rules asks for nothing", () => {
  expect(byRules({})).toBeNull();
  expect(targetSettingsSchema.parse({ checks: { gate: [] } }).review).toEqual(NO_RULES);
});

test("a policy asks by path, in any case and for hidden files too", () => {
  expect(byRules({ paths: ["src/auth/**"] })).toContain("it changes src/auth/login.ts");
  expect(byRules({ paths: ["SRC/Auth/**"] })).not.toBeNull();
  expect(byRules({ paths: ["config/**"] }, { files: ["config/.env.d/a"] })).not.toBeNull();
  expect(byRules({ paths: ["db/**"] })).toBeNull();
});

test("a policy asks for what is larger than its bounds, and for what cannot be counted", () => {
  expect(byRules({ files: 1 })).toContain("it changes 2 files (most: 1)");
  expect(byRules({ files: 2, lines: 40 })).toBeNull();
  expect(byRules({ lines: 39 })).toContain("it changes 40 lines (most: 39)");
  expect(byRules({ lines: 1_000_000 }, { lines: null })).toContain("lines cannot be counted");
});

test("a policy asks by the kind of the task, and when the kind is not known", () => {
  expect(byRules({ kinds: ["fix"] })).toBeNull();
  expect(byRules({ kinds: ["build"] })).toContain("its task is of kind build");
  expect(byRules({ kinds: ["fix"] }, { kind: undefined })).toContain("is not known");
});

test("the reason names every rule that applies", () => {
  expect(byRules({ paths: ["src/auth/**"], files: 1, lines: 10, kinds: ["build"] })).toBe(
    'a person looks at it by "review" in swarm.json: it changes src/auth/login.ts, ' +
      "it changes 2 files (most: 1), it changes 40 lines (most: 10), its task is of kind build",
  );
});
