import { expect, test } from "vitest";
import { DOOR, findDoorRoute, type DoorRouteName } from "./door.ts";

test("a request finds its route by method and exact path", () => {
  for (const name of Object.keys(DOOR) as DoorRouteName[])
    expect(findDoorRoute(DOOR[name].method, DOOR[name].path)).toBe(name);
});

test.each([
  ["POST", "/task"],
  ["GET", "/bundle"],
  ["GET", "/task?x=1"],
  ["GET", "/toString"],
  [undefined, undefined],
])("%s %s is no route of the door", (method, path) => {
  expect(findDoorRoute(method, path)).toBeNull();
});
