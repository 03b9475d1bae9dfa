import { randomUUID } from "node:crypto";
import { z } from "zod";
import {
  DEFAULT_REPO,
  featureInputSchema,
  featureStatusSchema,
  idSchema,
  jobId,
  slug,
  type FeatureSubmission,
  type EventToSend,
} from "@agentswarm/contracts";
import { failpoint, featureIdOf } from "@agentswarm/contracts/node";
import { jobBody, queueCounts, withDeadline } from "@agentswarm/queue";
import { REDIS_DEADLINE_MS, type App, type House } from "../house.ts";
import { Problem } from "../problem.ts";
import { refuseBeyondSwarm, shownBudget } from "./budget.ts";
import { projectFeature } from "../project/project-feature.ts";
import { sumUp } from "../project/cost-table.ts";
import type { FeatureView } from "../project/views.ts";

const RETRY_SECONDS = 5;
const params = z.object({ id: idSchema });

export function featureRoutes(app: App, house: House): void {
  const { connection, sender, model } = house;
  const soon = <T>(promise: Promise<T>) => withDeadline(promise, REDIS_DEADLINE_MS);

  app.post(
    "/v1/features",
    {
      schema: {
        tags: ["features"],
        summary: "Submit a feature",
        body: featureInputSchema,
        headers: z.object({ "idempotency-key": z.string().min(1).max(200).optional() }),
      },
    },
    async (request, reply) => {
      const key = request.headers["idempotency-key"] ?? randomUUID();
      const id = featureIdOf(key);
      refuseBeyondSwarm(house, request.body.budget);
      await soon(refuseWhenFull(house));
      const createdAt = await soon(connection.now());
      const feature: FeatureSubmission = {
        ...request.body,
        id,
        repoId: DEFAULT_REPO,
        source: "rest",
        createdAt,
      };
      failpoint("api.accepted");
      await soon(sender.send("plan", { kind: "feature", feature }, { jobId: jobId.feature(id) }));
      failpoint("api.enqueued");
      const known = await soon(readFeature(house, id));
      if (known !== null && !sameRequest(known, request.body)) {
        throw new Problem(422, "idempotency-key-reused", "this Idempotency-Key was used for another feature");
      }
      // The planner tells the same; until it gets there lists would not show what was accepted. What stands is told,
      // as a duplicate is here with a time of its own.
      void sender.event(submittedEvent({ ...feature, createdAt: known?.createdAt ?? createdAt }));
      void reply.header("location", `/v1/features/${id}`);
      return reply.code(202).send({
        id,
        slug: slug(feature.title),
        status: known?.status ?? "queued",
        url: `/v1/features/${id}`,
      });
    },
  );

  app.get(
    "/v1/features",
    {
      schema: {
        tags: ["features"],
        summary: "Features, newest first",
        querystring: z.object({
          status: featureStatusSchema.optional(),
          q: z.string().max(200).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z.string().max(200).optional(),
        }),
      },
    },
    async ({ query }) => {
      const all = [...(await soon(model.features.all())).values()].toSorted((a, b) =>
        orderOf(b).localeCompare(orderOf(a)),
      );
      const wanted = all.filter(
        (feature) =>
          (query.status === undefined || feature.status === query.status) &&
          (query.q === undefined ||
            `${feature.title} ${feature.description}`.toLowerCase().includes(query.q.toLowerCase())) &&
          (query.cursor === undefined || orderOf(feature) < query.cursor),
      );
      const features = wanted.slice(0, query.limit);
      const last = features.at(-1);
      return {
        features: features.map(shown),
        cursor: wanted.length > features.length && last ? orderOf(last) : null,
      };
    },
  );

  app.get(
    "/v1/features/:id",
    { schema: { tags: ["features"], summary: "One feature with its tasks", params } },
    async ({ params: { id } }) => {
      const feature = await soon(readFeature(house, id));
      if (feature === null) throw new Problem(404, "not-found", `there is no feature ${id}`);
      const tasks = await soon(Promise.all(feature.taskIds.map((taskId) => model.tasks.get(taskId))));
      const budget = await soon(house.budgets.read(id));
      return {
        ...shown(feature),
        cost: sumUp(feature.costs),
        budget: shownBudget(budget.feature ?? budget.swarm, feature.budgetReached),
        tasks: tasks.flatMap((found) => {
          if (found === null) return [];
          const { value: task } = found;
          const costUsd = task.attempts.reduce((sum, one) => sum + (one.handoff?.metrics.costUsd ?? 0), 0);
          const { key, kind, title, status, reason, round, dependsOn, commit, supersededBy } = task;
          return [
            {
              id: task.id,
              key,
              kind,
              title,
              status,
              reason,
              round,
              dependsOn,
              commit,
              supersededBy,
              attempts: task.attempts.length,
              costUsd,
            },
          ];
        }),
      };
    },
  );

  app.post(
    "/v1/features/:id/cancel",
    { schema: { tags: ["features"], summary: "Cancel a feature", params } },
    async (request, reply) => {
      const { id } = request.params;
      const feature = await soon(readFeature(house, id));
      if (feature === null) throw new Problem(404, "not-found", `there is no feature ${id}`);
      if (["done", "failed", "cancelled"].includes(feature.status)) {
        throw new Problem(409, "already-ended", `the feature is ${feature.status} already`);
      }
      await soon(
        sender.send(
          "plan",
          { kind: "cancel", featureId: id, by: request.actor ?? "local" },
          { jobId: jobId.cancel(id) },
        ),
      );
      return reply.code(202).send({ id, url: `/v1/features/${id}` });
    },
  );
}

/** The very event that the planner tells, by its id, when it takes the feature in. */
function submittedEvent(feature: FeatureSubmission): EventToSend {
  const id = `feature-submitted-${feature.id}`;
  return { id, type: "feature.submitted", repoId: feature.repoId, featureId: feature.id, data: feature };
}

/** From the read model; and between the durable write and the first event from that write itself. */
async function readFeature({ connection, model }: House, id: string): Promise<FeatureView | null> {
  const found = await model.features.get(id);
  if (found !== null) return found.value;
  const message = await jobBody(connection, "plan", jobId.feature(id));
  if (message?.kind !== "feature") return null;
  const { feature } = message;
  return projectFeature(null, { ...submittedEvent(feature), at: feature.createdAt, actor: "api" });
}

async function refuseWhenFull({ connection, maxQueueDepth }: House): Promise<void> {
  const { plan } = await queueCounts(connection);
  const waiting = (plan["waiting"] ?? 0) + (plan["prioritized"] ?? 0);
  if (waiting >= maxQueueDepth) {
    throw new Problem(
      503,
      "queue-full",
      `${waiting} plans are waiting (MAX_QUEUE_DEPTH ${maxQueueDepth})`,
      RETRY_SECONDS,
    );
  }
}

function sameRequest(known: FeatureView, body: z.infer<typeof featureInputSchema>): boolean {
  // Its budget may have been changed since, and so does not tell whether it is the same.
  const of = ({ title, description, acceptance, priority }: z.infer<typeof featureInputSchema>) =>
    JSON.stringify([title, description, acceptance, priority]);
  return of(known) === of(body);
}

function orderOf(feature: FeatureView): string {
  return `${String(feature.createdAt).padStart(15, "0")}-${feature.id}`;
}

function shown(view: FeatureView) {
  const {
    ledgerVersion: _version,
    taskIds: _taskIds,
    costs: _costs,
    budgetReached: _reached,
    ...feature
  } = view;
  return { ...feature, slug: slug(feature.title) };
}
