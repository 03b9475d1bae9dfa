export type Vec3 = [number, number, number];

/** Column-major, as WebGL takes it. */
export type Mat4 = Float32Array;

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

/** Where somebody looks: yaw 0 is -z and grows to the left, pitch is up. Radians. */
export function directionOf(yaw: number, pitch: number): Vec3 {
  return [-Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), -Math.cos(yaw) * Math.cos(pitch)];
}

export function multiply(a: Mat4, b: Mat4): Mat4 {
  const out = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[k * 4 + row] * b[column * 4 + k];
      out[column * 4 + row] = sum;
    }
  }
  return out;
}

export function perspective(fieldOfView: number, aspect: number, near: number, far: number): Mat4 {
  const f = 1 / Math.tan(fieldOfView / 2);
  const range = 1 / (near - far);
  return new Float32Array([
    ...[f / aspect, 0, 0, 0],
    ...[0, f, 0, 0],
    ...[0, 0, (near + far) * range, -1],
    ...[0, 0, 2 * near * far * range, 0],
  ]);
}

/** The world as seen from a position: moved, then turned by yaw and pitch. */
export function viewFrom(position: Vec3, yaw: number, pitch: number): Mat4 {
  const [sy, cy, sp, cp] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
  const right: Vec3 = [cy, 0, -sy];
  const up: Vec3 = [sy * sp, cp, cy * sp];
  const back: Vec3 = [sy * cp, -sp, cy * cp];
  const along = (axis: Vec3) => -(axis[0] * position[0] + axis[1] * position[1] + axis[2] * position[2]);
  return new Float32Array([
    ...[right[0], up[0], back[0], 0],
    ...[right[1], up[1], back[1], 0],
    ...[right[2], up[2], back[2], 0],
    ...[along(right), along(up), along(back), 1],
  ]);
}

/** A point through a matrix, divided by w. */
export function project(matrix: Mat4, [x, y, z]: Vec3): Vec3 {
  const at = (row: number) => matrix[row] * x + matrix[4 + row] * y + matrix[8 + row] * z + matrix[12 + row];
  const w = at(3);
  return [at(0) / w, at(1) / w, at(2) / w];
}
