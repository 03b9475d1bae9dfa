import { DEFAULT_REPO, nameOfPause, REST, type PauseScope } from "@agentswarm/contracts";
import { openPauses } from "@agentswarm/queue";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { notFound, Problem } from "../problem.ts";
import { serveRoute } from "../serve-route.ts";

const ENDED = new Set(["done", "failed", "cancelled"]);

export function pauseRoutes(app: App, { connection, model, sender }: ApiContext): void {
  const pauses = openPauses(connection);
  const requireKnown = async (scope: PauseScope) => {
    if (scope.kind === "landings" && scope.repoId !== DEFAULT_REPO)
      return notFound("repository", scope.repoId);
    if (scope.kind !== "feature") return;
    const { status } = (await model.findFeature(scope.featureId)) ?? notFound("feature", scope.featureId);
    if (ENDED.has(status)) throw new Problem(409, "already-ended", `the feature is ${status} already`);
  };

  serveRoute(app, REST.pauseWork, async ({ body: { scope, why }, asker }) => {
    await requireKnown(scope);
    const held = await pauses.read(scope);
    if (held !== null) {
      const detail = `${nameOfPause(scope)} is paused already, by ${held.by}: ${held.why}`;
      throw new Problem(409, "paused-already", detail);
    }
    await sender.send("plan", { kind: "pause", scope, paused: true, why, ...asker });
    return { scope };
  });

  serveRoute(app, REST.resumeWork, async ({ body: { scope, why }, asker }) => {
    await requireKnown(scope);
    if ((await pauses.read(scope)) === null)
      throw new Problem(409, "not-paused", `${nameOfPause(scope)} is not paused`);
    await sender.send("plan", { kind: "pause", scope, paused: false, why, ...asker });
    return { scope };
  });
}
