import { resolve } from "node:path";
import { z } from "zod";

/** What every service needs. */
export const baseSettings = {
  SWARM_HOME: z
    .string()
    .default("./.swarm")
    .transform((path) => resolve(path)),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  LOG_FORMAT: z.enum(["json", "pretty"]).optional().describe("pretty on a terminal, else json"),
  HEALTH_FILE: z.string().optional().describe("A file touched every 5 s while the service is well"),
  GRACE_MS: z.coerce.number().int().min(0).default(10_000).describe("Time to stop in after SIGTERM"),
};

/** The model, for the services that ask it. */
export const modelSettings = {
  LLM_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  LLM_API_KEY: z.string().optional(),
  RECORDED_MODEL_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where recorded answers are played; asked only when no model is configured"),
  LLM_MODEL: z.string().default("glm-5"),
  LLM_MAX_TOKENS: z.coerce.number().int().min(1).default(8_192),
  LLM_TEMPERATURE: z.coerce.number().min(0).max(2).default(0.7),
  RUNPOD_ENDPOINT_ID: z.string().optional(),
  RUNPOD_API_KEY: z.string().optional(),
  MODAL_GLM_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where your own SGLang runs"),
  MODAL_GLM_API_KEY: z.string().optional(),
  LLM_BACKENDS: z.string().optional().describe("A JSON list of backends, or the file that holds it"),
  RECORD: z
    .string()
    .optional()
    .describe("Folder to write what the model says to, as a scenario to play back"),
  LLM_CONNECT_TIMEOUT: z.coerce.number().min(0.001).default(10).describe("Seconds to connect in"),
  LLM_FIRST_TOKEN_TIMEOUT: z.coerce
    .number()
    .min(0.001)
    .default(290)
    .describe("Seconds until a stream begins, with all tries and waits for a cold start"),
  LLM_CHUNK_TIMEOUT: z.coerce.number().min(0.001).default(120).describe("Seconds a stream may be silent"),
  LLM_ANSWER_TIMEOUT: z.coerce
    .number()
    .min(0.001)
    .default(600)
    .describe("Seconds for an answer in one piece"),
};
