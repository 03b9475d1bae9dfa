import { z } from "zod";

/** One task in the model's answer. */
export const plannedTaskSchema = z.object({
  key: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,47}$/)
    .describe("Short name, lower case with dashes, unique in the plan"),
  title: z.string().min(1).max(200),
  description: z.string().max(20_000),
  scope: z.array(z.string()).max(100).default([]).describe("Globs the change must stay inside"),
  acceptance: z.array(z.string()).max(50).default([]),
  checks: z.array(z.string().min(1).max(4_000)).max(10).default([]).describe("Extra commands that must pass"),
  dependsOn: z.array(z.string()).max(100).default([]).describe("Keys of tasks that must have landed before"),
  priority: z.int().min(1).max(10).optional(),
});
export type PlannedTask = z.infer<typeof plannedTaskSchema>;

export const planSchema = z.object({ tasks: z.array(plannedTaskSchema) });

/** The reason why a plan is invalid, or null. `landed` are the keys of earlier tasks that it may depend on. */
export function refusePlan(
  tasks: readonly PlannedTask[],
  landed: ReadonlySet<string>,
  maxTasks: number,
): string | null {
  if (tasks.length === 0) return "the plan has no task";
  if (tasks.length > maxTasks)
    return `the plan has ${tasks.length} tasks; ${maxTasks} are allowed (MAX_TASKS_PER_PLAN)`;
  const keys = new Set<string>();
  for (const { key } of tasks) {
    if (keys.has(key) || landed.has(key)) return `the key ${key} is used twice`;
    keys.add(key);
  }
  for (const { key, dependsOn } of tasks) {
    const dangling = dependsOn.find((one) => !keys.has(one) && !landed.has(one));
    if (dangling !== undefined) return `${key} depends on ${dangling}, which is not in the plan`;
  }
  const cycle = findCycle(tasks);
  return cycle === null ? null : `tasks depend on each other in a cycle: ${cycle.join(" → ")}`;
}

/** Keys of one cycle of dependencies, first and last the same, or null. */
export function findCycle(tasks: readonly Pick<PlannedTask, "key" | "dependsOn">[]): string[] | null {
  const dependsOn = new Map(tasks.map((task) => [task.key, task.dependsOn]));
  const done = new Set<string>();
  const visit = (key: string, path: readonly string[]): string[] | null => {
    if (path.includes(key)) return [...path.slice(path.indexOf(key)), key];
    if (done.has(key)) return null;
    for (const next of dependsOn.get(key) ?? []) {
      const cycle = visit(next, [...path, key]);
      if (cycle !== null) return cycle;
    }
    done.add(key);
    return null;
  };
  for (const { key } of tasks) {
    const cycle = visit(key, []);
    if (cycle !== null) return cycle;
  }
  return null;
}
