import type { App } from "../app-type.ts";

const LINKS = [
  ["/docs", "the REST API, with its OpenAPI document"],
  ["/queues", "the queues and their jobs"],
  ["/v1/status", "the swarm at a glance, as JSON"],
  ["/v1/features", "features, newest first"],
  ["/metrics", "metrics for Prometheus"],
] as const;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>AgentSwarm</title>
<h1>AgentSwarm</h1>
<p>Submit a feature with <code>npx swarm submit "…"</code> or <code>POST /v1/features</code>.</p>
<ul>
${LINKS.map(([path, what]) => `<li><a href="${path}">${path}</a>: ${what}</li>`).join("\n")}
</ul>
</html>
`;

/** The page at `/`, for people who open the api's address: it names the other pages. */
export function pageRoutes(app: App): void {
  app.get("/", { schema: { hide: true } }, (_request, reply) =>
    reply.type("text/html; charset=utf-8").send(PAGE),
  );
}
