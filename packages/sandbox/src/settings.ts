import { z } from "zod";

/** For SANDBOX_PROVIDER=docker. */
const dockerSettings = {
  SANDBOX_IMAGE: z.string().optional().describe("With docker: by default agentswarm-sandbox"),
  SANDBOX_WORK_BYTES: z.coerce
    .number()
    .int()
    .min(2 ** 20)
    .optional()
    .describe("With docker: size limit of each sandbox's work folder, which is memory; by default 2 GiB"),
  BROKER_URL: z
    .string()
    .regex(/^(http:\/\/|unix:)/, "http://host:port, or unix: and a path")
    .optional()
    .describe("With docker: the broker that holds the engine's socket; by default the local engine is used"),
  BROKER_TOKEN: z.string().optional(),
};

/** For SANDBOX_PROVIDER=modal. */
const modalSettings = {
  MODAL_TOKEN_ID: z.string().optional(),
  MODAL_TOKEN_SECRET: z.string().optional(),
  MODAL_APP: z.string().default("agentswarm").describe("The app in Modal that sandboxes belong to"),
  MODAL_IMAGE: z.string().default("node:24-bookworm-slim").describe("A Debian image with Node"),
  MODAL_CPU: z.coerce
    .number()
    .positive()
    .default(0.5)
    .describe("Physical cores reserved for a sandbox (one is two vCPUs); it may use more, up to its limit"),
  MODAL_MEMORY_MIB: z.coerce
    .number()
    .int()
    .min(128)
    .default(1_024)
    .describe("MiB of memory reserved for a sandbox; it may use more, up to its limit"),
};

/** The settings that decide where agents and the target's commands run. */
export const sandboxSettings = {
  SANDBOX_PROVIDER: z.enum(["local", "docker", "modal"]).default("local"),
  ...dockerSettings,
  SWARM_TOOLS: z.string().optional().describe("Folder with a bin/ of unpacked tools"),
  ALLOW_UNISOLATED: z
    .stringbool()
    .default(false)
    .describe("Run agents without isolation where bubblewrap does not work"),
  ALLOW_UNLIMITED: z
    .stringbool()
    .default(false)
    .describe("Run agents with local or docker although some of their limits cannot be enforced here"),
  SANDBOX_DISK_BYTES: z.coerce
    .number()
    .int()
    .min(2 ** 20)
    .optional()
    .describe("With local: bytes that a sandbox's work folder may take on the disk; by default 8 GiB"),
  MODEL_RECORDED: z
    .stringbool()
    .default(false)
    .describe("The model only plays recorded answers, so neither isolation nor limits are required"),
  ...modalSettings,
};

export const sandboxSettingsSchema = z.object(sandboxSettings);
export type SandboxSettings = z.infer<typeof sandboxSettingsSchema>;

const modalSettingsSchema = z.object(modalSettings);
export type ModalSettings = z.infer<typeof modalSettingsSchema>;
