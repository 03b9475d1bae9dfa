import type { Plugin } from "esbuild";

/** How Pi shows its tools in a terminal, of which there is none here; half of the bundle would be that. */
const RENDERERS = `
export const BASH_UPDATE_THROTTLE_MS = 100;
export const createShellRenderers = () => ({});
export const editRenderers = {}, findRenderers = {}, grepRenderers = {}, lsRenderers = {};
export const readRenderers = {}, writeRenderers = {};
`;

/** What the agent's file does without, so that an agent is loaded sooner: terminal output, and zod's other languages. */
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
