import { z } from "zod";
import { openDocuments, type QueueConnection } from "@agentswarm/queue";

/** The attempts of one sending of a task, stored so that a redelivery finds them. */
export const roundSchema = z.object({
  attempts: z.array(z.int().min(1)),
  /** The attempt whose message was sent; null while there is none. */
  sent: z.int().min(1).nullable(),
  /** Redis time of the last change. */
  at: z.int(),
});
export type Round = z.infer<typeof roundSchema>;

export interface Rounds {
  get(taskId: string, round: number): Promise<Round | null>;
  /** Notes an attempt, before its sandbox is opened. */
  opened(taskId: string, round: number, attempt: number): Promise<void>;
  /** Notes that the message of the attempt was sent. */
  sent(taskId: string, round: number, attempt: number): Promise<void>;
  /** Every round, by the key that `forget` takes. */
  all(): Promise<Map<string, Round & { taskId: string }>>;
  forget(key: string): Promise<void>;
}

export function openRounds(connection: QueueConnection): Rounds {
  const documents = openDocuments(connection, "rounds", roundSchema);
  const keyOf = (taskId: string, round: number) => `${taskId}.${round}`;
  const write = async (key: string, change: (before: Round, at: number) => Round): Promise<void> => {
    const at = await connection.now();
    await documents.update(key, (before) => change(before ?? { attempts: [], sent: null, at }, at));
  };
  return {
    async get(taskId, round) {
      return (await documents.get(keyOf(taskId, round)))?.value ?? null;
    },
    opened: (taskId, round, attempt) =>
      write(keyOf(taskId, round), (before, at) => ({
        ...before,
        attempts: [...before.attempts, attempt],
        at,
      })),
    sent: (taskId, round, attempt) =>
      write(keyOf(taskId, round), (before, at) => ({ ...before, sent: attempt, at })),
    async all() {
      const found = await documents.all();
      return new Map([...found].map(([key, value]) => [key, { ...value, taskId: key.split(".")[0] ?? "" }]));
    },
    forget: (key) => documents.delete(key),
  };
}
