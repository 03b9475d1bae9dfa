import { createReadStream } from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { asFault, domainEventSchema, Fault, liftEvent, type DomainEvent } from "@agentswarm/contracts";

/** A line of the archive. `wipe`: Redis had lost everything at this time. `unreadable`: where a line lies that is neither. */
export type ArchivedLine =
  | { kind: "event"; event: DomainEvent }
  | { kind: "wipe"; at: number }
  | { kind: "unreadable"; where: string };

/** Every event but signs of life, in one file for each day. An event may be in it twice, after a crash. */
export interface EventArchive {
  /** Resolves once the events are on the disk. Throws a retryable Fault that names the folder and what to do. */
  append(events: readonly DomainEvent[]): Promise<void>;
  /** Notes that Redis was found wiped at this time. */
  markWipe(at: number): Promise<void>;
  /** The days of which there are files, as `2026-11-21`, oldest first. */
  days(): Promise<string[]>;
  /** All lines in the order of their arrival. */
  lines(): AsyncIterable<ArchivedLine>;
}

const wipeSchema = z.object({ redisWipedAt: z.int() });
const FILE = /^(\d{4}-\d\d-\d\d)\.jsonl$/;

export function openEventArchive(dir: string): EventArchive {
  const days = async () => {
    const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names.flatMap((name) => FILE.exec(name)?.[1] ?? []).toSorted();
  };
  const write = async (day: string, lines: readonly object[]) => {
    try {
      await mkdir(dir, { recursive: true });
      await appendLines(join(dir, `${day}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    } catch (error) {
      throw unwritable(dir, error);
    }
  };
  return {
    days,
    async append(events) {
      const byDay = Map.groupBy(events, ({ at }) => dayOf(at));
      for (const [day, ofDay] of byDay) await write(day, ofDay);
    },
    markWipe: (at) => write(dayOf(at), [{ redisWipedAt: at }]),
    async *lines() {
      for (const day of await days()) {
        const file = join(dir, `${day}.jsonl`);
        let nth = 0;
        for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
          nth += 1;
          if (line === "") continue;
          yield parse(line) ?? { kind: "unreadable", where: `${file}:${nth}` };
        }
      }
    },
  };
}

/** Appends whole lines, and waits until the disk has them. */
async function appendLines(file: string, lines: string): Promise<void> {
  await using handle = await open(file, "a+", 0o600);
  const { size } = await handle.stat();
  const last = size === 0 ? null : await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  // A full disk or a power cut may have left the beginning of a line; without this it would spoil the next one.
  const torn = last !== null && last.bytesRead === 1 && last.buffer[0] !== 0x0a;
  await handle.appendFile(torn ? `\n${lines}` : lines);
  await handle.datasync();
}

function unwritable(dir: string, cause: unknown): Fault {
  const { code, message } = asFault(cause);
  const text = `the event archive ${dir} cannot be written, and events wait until it can: ${message}`;
  return new Fault(code, text, { retryable: true, cause });
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function parse(line: string): ArchivedLine | null {
  try {
    const json: unknown = JSON.parse(line);
    const wipe = wipeSchema.safeParse(json);
    if (wipe.success) return { kind: "wipe", at: wipe.data.redisWipedAt };
    const parsed = domainEventSchema.safeParse(liftEvent(json));
    return parsed.success ? { kind: "event", event: parsed.data } : null;
  } catch {
    return null;
  }
}
