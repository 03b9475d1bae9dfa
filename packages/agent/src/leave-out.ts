import type { Plugin } from "esbuild";

/** Replaces the code with which Pi shows tool calls in a terminal: half of the bundle, and there is no terminal. */
const RENDERERS = `
export const BASH_UPDATE_THROTTLE_MS = 100;
export const createShellRenderers = () => ({});
export const editRenderers = {}, findRenderers = {}, grepRenderers = {}, lsRenderers = {};
export const readRenderers = {}, writeRenderers = {};
`;

/** Leaves terminal output and the languages of zod out of the agent's file, so that Node loads it faster. */
export const leaveOut: Plugin = {
  name: "leave-out",
  setup(build) {
    build.onResolve({ filter: /^\.\/renderers\/\w+\.js$/ }, ({ path, importer }) =>
      importer.includes("/pi-coding-agent/dist/core/tools/") ? { path, namespace: "renderers" } : null,
    );
    build.onLoad({ filter: /.*/, namespace: "renderers" }, () => ({ contents: RENDERERS }));
    build.onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, importer }) =>
      importer.includes("/zod/v4/") ? { path, namespace: "languages" } : null,
    );
    build.onLoad({ filter: /.*/, namespace: "languages" }, () => ({ contents: "export {};" }));
  },
};
