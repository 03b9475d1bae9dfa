import { serveGit } from "./serve-git.ts";

/** Serves every repository that the container sees, until the container ends. */
const server = await serveGit({ host: "0.0.0.0", port: 8_080 });
process.once("SIGTERM", () => {
  server.closeAllConnections();
  server.close();
});
console.log("git host ready");
