import { z } from "zod";

/**
 * The placeholders that a template may contain as `{{placeholder}}`. `agentDir` is the path of AGENT_COMMAND_DIR inside
 * the sandbox, `workDir` the repository, `homeDir` the agent's own home; `session` is known after the first run.
 */
export const AGENT_PLACEHOLDERS = [
  "prompt",
  "promptFile",
  "handoffFile",
  "model",
  "baseUrl",
  "apiKey",
  "maxTokens",
  "temperature",
  "workDir",
  "homeDir",
  "agentDir",
  "session",
] as const;
export type AgentPlaceholder = (typeof AGENT_PLACEHOLDERS)[number];

/** Matches one placeholder. */
export const PLACEHOLDER = /\{\{(\w+)\}\}/g;

const insideHome = (path: string) => path !== "" && !path.startsWith("/") && !path.split("/").includes("..");

/** How to run a coding agent that has a command line, as data. */
export const agentTemplateSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]{1,40}$/),
    argv: z.array(z.string()).min(1).describe("The program and its arguments for the first prompt"),
    continueArgv: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("For later prompts; absent: the program is started anew with the whole conversation"),
    stdin: z.string().default("").describe("Its standard input"),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
      .default({})
      .describe("Added to PATH, HOME, TMPDIR and LANG; it gets no other variables"),
    files: z
      .array(
        z.strictObject({
          path: z.string().refine(insideHome, "is a path under the agent's home"),
          content: z
            .union([z.string(), z.record(z.string(), z.json())])
            .describe("A text, or an object that is written as JSON"),
        }),
      )
      .default([]),
    output: z
      .enum(["opencode", "jsonl", "plain"])
      .default("plain")
      .describe(
        "The format of its standard output: opencode's JSON lines, ours, or its last message as plain text",
      ),
  })
  .superRefine((template, context) => {
    for (const [, name = ""] of JSON.stringify(template).matchAll(PLACEHOLDER)) {
      if ((AGENT_PLACEHOLDERS as readonly string[]).includes(name)) continue;
      context.addIssue({
        code: "custom",
        message: `{{${name}}} is not known; there are: ${AGENT_PLACEHOLDERS.join(", ")}`,
      });
    }
  });
export type AgentTemplate = z.infer<typeof agentTemplateSchema>;

/** The coding agent: the loop built into the runner, or a program that the runner starts. */
export const agentRuntimeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("pi") }),
  z.object({ kind: z.literal("command"), template: agentTemplateSchema }),
]);
export type AgentRuntime = z.infer<typeof agentRuntimeSchema>;
