import { z } from "zod";
import type { QueueConnection } from "./connect.ts";
import { openDocuments } from "./documents.ts";

/** A backend whose breaker is open: it gets no calls for now. */
export interface BackendOutage {
  readonly backend: string;
  readonly why: string;
  /** Redis time, milliseconds since 1970. */
  readonly since: number;
}

/** The backends that get no calls, from the dispatchers, which have the breakers, to those who show them. */
export interface BackendOutages {
  began(backend: string, why: string): Promise<void>;
  ended(backend: string): Promise<void>;
  /** A new process has closed breakers; the next failures open them again. */
  forgetAll(): Promise<void>;
  all(): Promise<BackendOutage[]>;
}

const schema = z.object({ why: z.string(), since: z.int() });

export function openBackendOutages(connection: QueueConnection): BackendOutages {
  const documents = openDocuments(connection, "backends", schema);
  return {
    async began(backend, why) {
      const since = await connection.now();
      await documents.update(backend, (before) => ({ why, since: before?.since ?? since }));
    },
    ended: (backend) => documents.delete(backend),
    async forgetAll() {
      for (const backend of (await documents.all()).keys()) await documents.delete(backend);
    },
    async all() {
      return [...(await documents.all())].map(([backend, outage]) => ({ backend, ...outage }));
    },
  };
}
