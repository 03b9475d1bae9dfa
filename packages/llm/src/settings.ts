import { z } from "zod";

const price = z.coerce.number().min(0).optional();

/** The settings of the model, for the services that call it. Times are in seconds. */
export const modelSettings = {
  LLM_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  LLM_API_KEY: z.string().optional(),
  RECORDED_MODEL_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("URL of the recorded model; used only when no other model is configured"),
  RECORDED_TARGET: z
    .enum(["sample", "any"])
    .default("sample")
    .describe("any: recorded answers are played on any repository, for tests of recordings"),
  LLM_MODEL: z.string().default("glm-5"),
  LLM_PRICE_IN: price.describe("US dollars per million prompt tokens of LLM_MODEL"),
  LLM_PRICE_OUT: price.describe("US dollars per million completion tokens of LLM_MODEL"),
  LLM_PRICE_CACHED: price.describe(
    "US dollars per million prompt tokens from the backend's cache; by default LLM_PRICE_IN",
  ),
  LLM_MAX_TOKENS: z.coerce.number().int().min(1).default(8_192),
  LLM_TEMPERATURE: z.coerce.number().min(0).max(2).default(0.7),
  RUNPOD_ENDPOINT_ID: z.string().optional(),
  RUNPOD_API_KEY: z.string().optional(),
  MODAL_GLM_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("URL of your own SGLang server"),
  MODAL_GLM_API_KEY: z.string().optional(),
  LLM_BACKENDS: z.string().optional().describe("A JSON list of backends, or the path of a file with it"),
  RECORD: z
    .string()
    .optional()
    .describe("Folder to record the model's answers in, as a scenario to play back"),
  LLM_CONNECT_TIMEOUT: z.coerce.number().min(0.001).default(10).describe("Seconds to connect"),
  LLM_FIRST_TOKEN_TIMEOUT: z.coerce
    .number()
    .min(0.001)
    .default(290)
    .describe("Seconds until a stream begins, all retries and cold starts included"),
  LLM_CHUNK_TIMEOUT: z.coerce.number().min(0.001).default(120).describe("Seconds a stream may be silent"),
  LLM_ANSWER_TIMEOUT: z.coerce
    .number()
    .min(0.001)
    .default(600)
    .describe("Seconds for an answer in one piece"),
};

export type ModelSettings = z.infer<z.ZodObject<typeof modelSettings>>;

/** The settings that name backends. */
export type BackendSettings = Pick<
  ModelSettings,
  | "LLM_BACKENDS"
  | "LLM_BASE_URL"
  | "LLM_API_KEY"
  | "LLM_MODEL"
  | "LLM_PRICE_IN"
  | "LLM_PRICE_OUT"
  | "LLM_PRICE_CACHED"
  | "RUNPOD_ENDPOINT_ID"
  | "RUNPOD_API_KEY"
  | "MODAL_GLM_URL"
  | "MODAL_GLM_API_KEY"
  | "RECORDED_MODEL_URL"
>;
