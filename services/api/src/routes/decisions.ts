import { randomUUID } from "node:crypto";
import { REST } from "@agentswarm/contracts";
import { answerDecision } from "../answer-decision.ts";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { readIfMatch } from "../read-if-match.ts";
import { notFound } from "../problem.ts";
import { withoutInternals } from "../project/list-decisions.ts";
import { serveRoute } from "../serve-route.ts";

export function decisionRoutes(app: App, ctx: ApiContext): void {
  const { model } = ctx;
  const find = async (id: string) => (await model.decision(id)) ?? notFound("decision", id);

  serveRoute(app, REST.listDecisions, ({ query, person }) => model.listDecisions(query, person));

  serveRoute(app, REST.getDecision, async ({ params: { id }, reply }) => {
    const decision = await find(id);
    if (decision.head !== null) void reply.header("etag", `"${decision.head}"`);
    return withoutInternals(decision);
  });

  serveRoute(app, REST.answerDecision, async ({ params: { id }, headers, body, person, pending }) => {
    const answered = await answerDecision(ctx, await find(id), {
      ...body,
      person,
      head: readIfMatch(headers["if-match"]),
      idempotencyKey: headers["idempotency-key"] ?? randomUUID(),
    });
    if (!answered.counted) pending();
    return answered;
  });
}
