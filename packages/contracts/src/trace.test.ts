import { expect, test } from "vitest";
import { childTraceparent, newTraceparent, traceIdOf, traceparentSchema } from "./trace.ts";

const EXAMPLE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("the trace id of a traceparent is its second field", () => {
  expect(traceIdOf(EXAMPLE)).toBe("0af7651916cd43dd8448eb211c80319c");
});

test("a text that is not a traceparent has no trace id", () => {
  const zeros = `00-${"0".repeat(32)}-b7ad6b7169203331-01`;
  for (const text of ["", "00-0-0-01", EXAMPLE.toUpperCase(), `${EXAMPLE}-more`, zeros])
    expect(traceIdOf(text)).toBeNull();
});

test("every new traceparent is valid and has a trace id of its own", () => {
  const made = Array.from({ length: 100 }, newTraceparent);
  for (const one of made) expect(traceparentSchema.safeParse(one).success).toBe(true);
  expect(new Set(made.map(traceIdOf)).size).toBe(100);
});

test("a child keeps the trace id and gets a span id of its own", () => {
  const child = childTraceparent(EXAMPLE);
  expect(traceIdOf(child)).toBe(traceIdOf(EXAMPLE));
  expect(child).not.toBe(EXAMPLE);
  expect(traceparentSchema.safeParse(child).success).toBe(true);
});

test("the child of an invalid traceparent starts a new trace", () => {
  expect(traceIdOf(childTraceparent("00-0-0-01"))).not.toBeNull();
});
