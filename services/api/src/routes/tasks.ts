import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { idSchema } from "@agentswarm/contracts";
import { withDeadline } from "@agentswarm/queue";
import { REDIS_DEADLINE_MS, type App, type House } from "../house.ts";
import { Problem } from "../problem.ts";
import { sumUp } from "../project/cost-table.ts";
import type { TaskView } from "../project/views.ts";

const params = z.object({ id: idSchema });
const reasonBody = z.object({ reason: z.string().max(2_000).optional() }).nullish();

export function taskRoutes(app: App, house: House): void {
  const { model, sender } = house;
  const read = async (id: string): Promise<TaskView> => {
    const found = await withDeadline(model.tasks.get(id), REDIS_DEADLINE_MS);
    if (found === null) throw new Problem(404, "not-found", `there is no task ${id}`);
    return found.value;
  };
  const want = (task: TaskView, ...states: string[]) => {
    if (states.includes(task.status)) return;
    throw new Problem(409, "wrong-state", `the task is ${task.status}; this needs ${states.join(" or ")}`);
  };

  app.get(
    "/v1/tasks/:id",
    { schema: { tags: ["tasks"], summary: "One task with its attempts", params } },
    async (request) => {
      const { ledgerVersion: _, ...task } = await read(request.params.id);
      const attempts = task.attempts.map(({ costs, ...attempt }) => ({ ...attempt, cost: sumUp(costs) }));
      return { ...task, attempts, commits: task.commit === null ? [] : [task.commit] };
    },
  );

  app.get(
    "/v1/tasks/:id/transcript",
    {
      schema: {
        tags: ["tasks"],
        summary: "What agent and model said, as JSON lines",
        params,
        querystring: z.object({ attempt: z.coerce.number().int().min(1).optional() }),
      },
    },
    async (request, reply) => {
      const task = await read(request.params.id);
      const attempt = request.query.attempt ?? task.attempts.at(-1)?.attempt;
      const file = join(house.transcriptsDir, task.id, `${attempt}.jsonl`);
      const found = await stat(file).catch(() => null);
      if (found === null)
        throw new Problem(
          404,
          "not-found",
          `there is no transcript of attempt ${attempt ?? "1"} of ${task.id}`,
        );
      return reply.type("application/x-ndjson").send(createReadStream(file));
    },
  );

  app.post(
    "/v1/tasks/:id/retry",
    { schema: { tags: ["tasks"], summary: "Try an ended task again", params } },
    async (request, reply) => {
      const task = await read(request.params.id);
      want(task, "failed", "blocked", "cancelled");
      const by = request.actor ?? "local";
      await withDeadline(sender.send("plan", { kind: "retry", taskId: task.id, by }), REDIS_DEADLINE_MS);
      return reply.code(202).send({ id: task.id, url: `/v1/tasks/${task.id}` });
    },
  );

  for (const decision of ["approve", "refuse"] as const) {
    const schema = {
      tags: ["tasks"],
      summary: `Decide on a held task: ${decision}`,
      params,
      body: reasonBody,
    };
    app.post(`/v1/tasks/:id/${decision}`, { schema }, async (request, reply) => {
      const { id } = request.params as z.infer<typeof params>;
      const task = await read(id);
      want(task, "held");
      const { reason } = (request.body as z.infer<typeof reasonBody>) ?? {};
      const message = {
        kind: "approve" as const,
        taskId: id,
        decision,
        by: request.actor ?? "local",
        ...(reason ? { reason } : {}),
      };
      await withDeadline(sender.send("plan", message), REDIS_DEADLINE_MS);
      return reply.code(202).send({ id, url: `/v1/tasks/${id}` });
    });
  }
}
