import { expect, test } from "vitest";
import { agentTemplateSchema } from "./agent-runtime.ts";

const template = { name: "mine", argv: ["mine", "{{promptFile}}"] };
const refused = (more: object) => agentTemplateSchema.safeParse({ ...template, ...more }).error?.message;

test("a template of two lines is enough", () => {
  expect(agentTemplateSchema.parse(template)).toEqual({
    ...template,
    stdin: "",
    env: {},
    files: [],
    output: "plain",
  });
});

test("a placeholder that is not known is refused wherever it stands, with those that are", () => {
  for (const more of [
    { argv: ["mine", "{{promt}}"] },
    { env: { KEY: "{{promt}}" } },
    { files: [{ path: "a.json", content: { deep: [{ "{{promt}}": 1 }] } }] },
  ])
    expect(refused(more)).toMatch(/\{\{promt\}\} is not known; there are: prompt, promptFile/);
});

test("files are written under the agent's home and nowhere else", () => {
  for (const path of ["", "/etc/passwd", "../repo/x", "a/../../b"])
    expect(refused({ files: [{ path, content: "" }] })).toContain("under the agent's home");
  expect(refused({ files: [{ path: ".config/a..b/c", content: "" }] })).toBeUndefined();
});

test("what is misspelt is refused", () => {
  for (const more of [{ arg: [] }, { argv: [] }, { output: "yaml" }, { env: { "A=B": "" } }, { name: "a b" }])
    expect(refused(more)).toBeDefined();
});
