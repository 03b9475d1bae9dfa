import { randomUUID } from "node:crypto";
import { isTrunkHealth, REST, type Route } from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import { refuseOthers, type Person } from "../auth/person.ts";
import type { ApiContext } from "../context.ts";
import { notFound, Problem } from "../problem.ts";
import { refuseBeyondCaps } from "../refuse-beyond-caps.ts";
import { refuseUnpricedBudget } from "../refuse-unpriced-budget.ts";
import { serveRoute } from "../serve-route.ts";
import { submitFeature } from "../submit-feature.ts";

const ENDED = new Set(["done", "failed", "cancelled"]);

export function featureRoutes(app: App, ctx: ApiContext): void {
  const { model, sender } = ctx;
  /** The feature that a route is about; throws Problem 403 when this person may not ask the route about it. */
  const findFor = async (route: Route, person: Person, id: string) => {
    const feature = (await model.findFeature(id)) ?? notFound("feature", id);
    refuseOthers(route, person, feature);
    return feature;
  };

  serveRoute(app, REST.submitFeature, async ({ body, headers, asker, reply }) => {
    const submitted = await submitFeature(ctx, body, headers["idempotency-key"] ?? randomUUID(), asker);
    void reply.header("location", submitted.url);
    return submitted;
  });

  serveRoute(app, REST.listFeatures, ({ query }) => model.listFeatures(query));

  serveRoute(
    app,
    REST.getFeature,
    async ({ params: { id } }) => (await model.feature(id)) ?? notFound("feature", id),
  );

  serveRoute(app, REST.cancelFeature, async ({ params: { id }, body, person, asker }) => {
    const { status, revert } = await findFor(REST.cancelFeature, person, id);
    if (ENDED.has(status)) throw new Problem(409, "already-ended", `the feature is ${status} already`);
    if (revert !== null) {
      const detail = `the feature is being reverted by ${revert.by}; cancel the revert's tasks to stop it half-way`;
      throw new Problem(409, "being-reverted", detail);
    }
    // Without a job id: the id of an earlier cancel that Redis still has would swallow this one.
    await sender.send("plan", { kind: "cancel", featureId: id, why: body?.why, ...asker });
    return { id, url: `/v1/features/${id}` };
  });

  serveRoute(app, REST.revertFeature, async ({ params: { id }, body: { why }, person, asker }) => {
    const { status, revert } = await findFor(REST.revertFeature, person, id);
    if (isTrunkHealth(id))
      throw new Problem(409, "wrong-state", `${id} is the trunk's own feature: cancel its tasks one by one`);
    // One that failed is taken up again.
    if (revert !== null && status !== "failed") {
      const state = status === "cancelled" ? "was" : "is being";
      throw new Problem(
        409,
        "reverted-already",
        `the feature ${state} reverted by ${revert.by}: ${revert.why}`,
      );
    }
    await sender.send("plan", { kind: "revert", featureId: id, why, ...asker });
    return { id, url: `/v1/features/${id}` };
  });

  serveRoute(app, REST.retryFeature, async ({ params: { id }, person, asker }) => {
    const { status, revert } = await findFor(REST.retryFeature, person, id);
    if (revert !== null && status === "cancelled")
      throw new Problem(409, "wrong-state", "the feature was reverted: submit it again as a new one");
    if (status !== "failed" && status !== "cancelled")
      throw new Problem(409, "wrong-state", `the feature is ${status}; this needs failed or cancelled`);
    await sender.send("plan", { kind: "retry-feature", featureId: id, ...asker });
    return { id, url: `/v1/features/${id}` };
  });

  serveRoute(app, REST.setFeatureBudget, async ({ params: { id }, body: budget, person, asker }) => {
    refuseBeyondCaps(ctx.caps, budget);
    await refuseUnpricedBudget(ctx, budget);
    await findFor(REST.setFeatureBudget, person, id);
    await sender.send("plan", { kind: "budget", featureId: id, budget, ...asker });
    return { id, url: `/v1/features/${id}` };
  });
}
