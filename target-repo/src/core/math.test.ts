import assert from "node:assert/strict";
import { test } from "node:test";
import { directionOf, multiply, perspective, project, viewFrom, type Vec3 } from "./math.ts";

const close = (actual: Vec3, expected: Vec3) =>
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-5, `${actual} is not ${expected}`));

test("yaw 0 looks along -z, a quarter turn to the left along -x", () => {
  close(directionOf(0, 0), [0, 0, -1]);
  close(directionOf(Math.PI / 2, 0), [-1, 0, 0]);
  close(directionOf(0, Math.PI / 2), [0, 1, 0]);
});

test("what is looked at lands in the middle of the picture", () => {
  const from: Vec3 = [3, 20, -7];
  const [yaw, pitch] = [0.7, -0.4];
  const matrix = multiply(perspective(1.2, 16 / 9, 0.1, 100), viewFrom(from, yaw, pitch));
  const ahead = directionOf(yaw, pitch).map((part, i) => from[i] + part * 10) as Vec3;
  const [x, y, z] = project(matrix, ahead);
  close([x, y, 0], [0, 0, 0]);
  assert.ok(z > -1 && z < 1);
});
