import { z } from "zod";

/**
 * What a template may name as `{{placeholder}}`. `agentDir` is AGENT_COMMAND_DIR as seen inside, `workDir` the
 * repository, `homeDir` a home of the agent's own; `session` is known from the first run's output on.
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

/** Where a placeholder stands. */
export const PLACEHOLDER = /\{\{(\w+)\}\}/g;

const insideHome = (path: string) => path !== "" && !path.startsWith("/") && !path.split("/").includes("..");

/** How a coding agent with a command line is used, as data. */
export const agentTemplateSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]{1,40}$/),
    argv: z.array(z.string()).min(1).describe("The program and its arguments for the first prompt"),
    continueArgv: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("For the prompts after it; absent: it is started anew and told everything again"),
    stdin: z.string().default("").describe("What it reads on its standard input"),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
      .default({})
      .describe("Beside PATH, HOME, TMPDIR and LANG it gets nothing else"),
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
      .describe("What its standard output is: opencode's JSON lines, our own, or its last message"),
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

/** What turns prompts into changes: the loop built into the runner, or a program started by it. */
export const agentRuntimeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("pi") }),
  z.object({ kind: z.literal("command"), template: agentTemplateSchema }),
]);
export type AgentRuntime = z.infer<typeof agentRuntimeSchema>;
