import { directionOf } from "../core/math.ts";
import type { System } from "../core/system.ts";
import { createProgram } from "../render/program.ts";

/** A turning cube in front of the camera: a sign of life until the world is drawn. */
const VERTEX = `#version 300 es
uniform mat4 viewProjection;
uniform vec3 centre;
uniform float turn;
out vec3 color;
const vec3 FACES[6] = vec3[](vec3(1,0,0), vec3(-1,0,0), vec3(0,1,0), vec3(0,-1,0), vec3(0,0,1), vec3(0,0,-1));
const vec2 CORNERS[6] = vec2[](vec2(-1,-1), vec2(1,-1), vec2(1,1), vec2(-1,-1), vec2(1,1), vec2(-1,1));
void main() {
  vec3 normal = FACES[gl_VertexID / 6];
  vec2 corner = CORNERS[gl_VertexID % 6];
  vec3 point = normal + normal.yzx * corner.x + normal.zxy * corner.y;
  float c = cos(turn), s = sin(turn);
  point.xz = mat2(c, -s, s, c) * point.xz;
  color = mix(vec3(0.36, 0.62, 0.24), vec3(0.48, 0.34, 0.22), step(point.y, 0.4)) * (0.75 + 0.25 * abs(normal.y));
  gl_Position = viewProjection * vec4(centre + point * 0.6, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec3 color;
out vec4 pixel;
void main() { pixel = vec4(color, 1.0); }`;

let program: WebGLProgram | null = null;
let turn = 0;

export const system: System = {
  name: "scene",
  order: 50,
  start(_game, page) {
    if (page !== null) program = createProgram(page.gl, VERTEX, FRAGMENT);
  },
  update(_game, seconds) {
    turn += seconds;
  },
  render({ camera }, { gl, viewProjection }) {
    if (program === null) return;
    const ahead = directionOf(camera.yaw, camera.pitch);
    const uniform = (name: string) => gl.getUniformLocation(program!, name);
    gl.useProgram(program);
    gl.uniformMatrix4fv(uniform("viewProjection"), false, viewProjection);
    gl.uniform3fv(uniform("centre"), ahead.map((part, i) => camera.position[i] + part * 4));
    gl.uniform1f(uniform("turn"), turn);
    gl.drawArrays(gl.TRIANGLES, 0, 36);
  },
};
