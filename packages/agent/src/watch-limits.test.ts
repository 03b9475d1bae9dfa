import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "@agentswarm/contracts";
import { watchLimits } from "./watch-limits.ts";

const call = (name: string, args: unknown = {}) => ({ name, args });
const turn = (...calls: { name: string; args: unknown }[]) => ({ calls, tokens: 10 });

test("turns and tool calls are counted while no limit is reached", () => {
  const watch = watchLimits(DEFAULT_LIMITS);
  expect(watch.onTurn(turn(call("ls"), call("read")))).toBeNull();
  expect(watch.onTurn(turn())).toBeNull();
  expect(watch).toMatchObject({ turns: 2, toolCalls: 2 });
});

test("the third turn in a row with the same calls is stuck", () => {
  const watch = watchLimits(DEFAULT_LIMITS);
  const same = turn(call("read", { path: "a" }), call("ls"));
  expect([watch.onTurn(same), watch.onTurn(same)]).toEqual([null, null]);
  expect(watch.onTurn(same)).toMatchObject({ end: "stuck", reason: expect.stringContaining('"path":"a"') });
});

test("another call in between, other arguments or another order restart the count", () => {
  const watch = watchLimits(DEFAULT_LIMITS);
  const [a, b] = [call("read", { path: "a" }), call("read", { path: "b" })];
  for (const one of [
    turn(a),
    turn(a),
    turn(b),
    turn(a),
    turn(a),
    turn(a, b),
    turn(b, a),
    turn(),
    turn(a),
    turn(a),
  ])
    expect(watch.onTurn(one)).toBeNull();
});

test("turns without a call are no loop", () => {
  const watch = watchLimits(DEFAULT_LIMITS);
  for (let nth = 0; nth < 10; nth += 1) expect(watch.onTurn(turn())).toBeNull();
});

test("the turn that reaches the limit of turns or of tokens stops the session", () => {
  const turns = watchLimits({ ...DEFAULT_LIMITS, turns: 2 });
  expect(turns.onTurn(turn(call("a")))).toBeNull();
  expect(turns.onTurn(turn(call("b")))).toEqual({
    end: "limit-reached",
    reason: "the limit of 2 turns was reached",
  });
  const tokens = watchLimits({ ...DEFAULT_LIMITS, tokens: 20 });
  expect(tokens.onTurn(turn(call("a")))).toBeNull();
  expect(tokens.onTurn(turn(call("b")))).toMatchObject({ end: "limit-reached" });
});

test("the reason quotes only the beginning of long calls", () => {
  const watch = watchLimits(DEFAULT_LIMITS);
  const long = turn(call("write", { content: "x".repeat(100_000) }));
  watch.onTurn(long);
  watch.onTurn(long);
  expect(watch.onTurn(long)?.reason.length).toBeLessThan(500);
});
