import type { JobSignal } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { openSignalInbox, readSignal } from "./signal.ts";

const signal = (text: string): JobSignal => ({
  notes: [{ id: text, by: "ada", via: "rest", at: 1, text, mode: "steer", answers: null }],
});
const textOf = ({ notes }: JobSignal) => notes[0]?.text;

test("a handler that begins to listen gets the signals that came before, each once and in order", () => {
  const inbox = openSignalInbox();
  const heard: unknown[] = [];
  inbox.deliver(signal("one"));
  inbox.deliver(signal("two"));
  inbox.listen((signal) => heard.push(textOf(signal)));
  inbox.deliver(signal("three"));
  expect(heard).toEqual(["one", "two", "three"]);
});

test("of a job that never listens only so many signals are kept", () => {
  const inbox = openSignalInbox();
  for (let nth = 0; nth < 1_000; nth += 1) inbox.deliver(signal(`note ${nth}`));
  const heard: unknown[] = [];
  inbox.listen((signal) => heard.push(textOf(signal)));
  expect(heard).toHaveLength(100);
});

test("an event of the stream that is no known signal is passed over", () => {
  expect(readSignal({ jobId: "a", signal: JSON.stringify(signal("one")) })).toEqual({
    jobId: "a",
    signal: signal("one"),
  });
  expect(readSignal({ jobId: "a", signal: "{" })).toBeNull();
  expect(readSignal({ jobId: "a", signal: JSON.stringify({ news: [] }) })).toBeNull();
  expect(readSignal({ jobId: "a" })).toBeNull();
});
