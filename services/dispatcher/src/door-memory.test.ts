import { expect, test } from "vitest";
import { DoorsFull, openDoorMemory } from "./door-memory.ts";

test("doors that hold all they can leave every other door its share", () => {
  const memory = openDoorMemory({ bytes: 1_000, doors: 10 });
  const hogs = Array.from({ length: 9 }, () => memory.open());
  let taken = 0;
  for (const hog of hogs)
    expect(() => {
      for (;;) {
        hog.take(1);
        taken += 1;
      }
    }).toThrow(DoorsFull);
  // All but the share of the last door.
  expect(taken).toBe(950);
  const last = memory.open();
  last.take(50);
  expect(() => last.take(1)).toThrow("DOOR_MEMORY_BYTES");
});

test("what a door gives back, or leaves behind, is free for the others", () => {
  const memory = openDoorMemory({ bytes: 100, doors: 2 });
  const [first, second] = [memory.open(), memory.open()];
  first.take(75);
  expect(() => second.take(26)).toThrow(DoorsFull);
  first.give(10);
  second.take(35);
  first[Symbol.dispose]();
  second.take(40);
  second[Symbol.dispose]();
  memory.open().take(75);
});

test("a refused request takes nothing", () => {
  const memory = openDoorMemory({ bytes: 100, doors: 1 });
  const door = memory.open();
  for (let n = 0; n < 3; n += 1) expect(() => door.take(101)).toThrow(DoorsFull);
  door.take(100);
});
