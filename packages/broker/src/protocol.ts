import { z } from "zod";

/** The messages between a broker and its clients; both ends parse them. An unknown field is refused. */

const name = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/);
/** A relative path that stays in the work folder. */
const workPath = z
  .string()
  .max(200)
  .regex(/^(?!\.{1,2}(\/|$))[\w.@-]+(\/(?!\.{1,2}(\/|$))[\w.@-]+)*$/);

/** The SHA-256 of a content. */
export const keySchema = z.string().regex(/^[0-9a-f]{64}$/);
export const sandboxIdSchema = z.string().regex(/^[a-z0-9-]{1,64}$/);

export const labelsSchema = z.strictObject({
  swarm: z.string().regex(/^[a-z0-9-]{1,40}$/),
  purpose: name,
  task: name.optional(),
  attempt: name.optional(),
});

export const orderSchema = z.strictObject({
  labels: labelsSchema,
  limits: z.strictObject({
    memoryBytes: z.number().int().positive(),
    pids: z.number().int().positive(),
    cpus: z.number().positive(),
    wallMs: z.number().int().positive(),
    /** What exceeds the broker's SANDBOX_WORK_BYTES is lowered to it. */
    diskBytes: z.number().int().positive(),
  }),
  contents: z.array(z.strictObject({ key: keySchema, at: workPath.optional() })).max(20),
});

export const openedSchema = z.strictObject({ id: sandboxIdSchema });

/** The first frame of a request for a program; the frames of its stdin follow. */
export const execSchema = z.strictObject({
  /** The client's id of the program, for killing it. */
  exec: z.uuid(),
  argv: z.array(z.string()).min(1),
  cwd: z.string().optional(),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).optional(),
});

export const killSchema = z.strictObject({ exec: z.uuid() });

/** The last frame of the response for a program. */
export const exitSchema = z.strictObject({ code: z.number().int().nullable() });

export const figuresSchema = z.strictObject({
  readyMs: z.number(),
  cpuMs: z.number().nullable(),
  memoryPeakBytes: z.number().nullable(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  costUsd: z.number(),
});

export const listSchema = z.array(
  z.strictObject({ id: z.string(), labels: labelsSchema, orphaned: z.boolean() }),
);

export const hostSchema = z.strictObject({
  unenforced: z.array(z.enum(["memoryBytes", "pids", "cpus", "wallMs", "diskBytes", "seccomp"])),
});

export const refusalSchema = z.strictObject({
  code: z.enum(["sandbox.refused", "sandbox.died", "sandbox.unavailable", "not-found", "internal"]),
  message: z.string(),
  retryable: z.boolean(),
});
export type Refusal = z.infer<typeof refusalSchema>;

/**
 * Flow-control windows that do not slow down the output of a program, and memory for hundreds of programs at once; the
 * defaults of node:http2 are too small for both.
 */
export const WIRE = {
  streamWindowBytes: 1024 ** 2,
  sessionWindowBytes: 16 * 1024 ** 2,
  sessionMemoryMib: 1_024,
} as const;
