import { startApis } from "../../services/api/testing/start-apis.ts";
import { planned, startPlanner } from "../../services/planner/testing/start-planner.ts";
import type { Measure } from "./measure.ts";

const ANSWERS = 50;
const PERSONS = {
  ada: "reviewer",
  bob: "reviewer",
  cyd: "reviewer",
  dan: "reviewer",
  eli: "reviewer",
} as const;
const NAMES = Object.keys(PERSONS);

/**
 * 50 answers at once of five persons to the plan of a feature, over two apis and a planner. `answersWon`: how many of them
 * counted; over the rounds, the number that is not one, if there is any. `answersInformed`: the least number of the others
 * that got the name of the faster person.
 */
export const measureAnswers: Measure = async ({ quick, say }) => {
  await using planner = await startPlanner(() => ({ tasks: [planned("only")] }), {
    PLAN_APPROVAL_FROM_TASKS: "1",
  });
  await using apis = await startApis(planner.redis, { count: 2, persons: PERSONS });
  const won: number[] = [];
  const informed: number[] = [];
  const decided: string[] = [];
  for (let round = 0; round < (quick ? 2 : 20); round += 1) {
    await planner.submit(`Feature ${round}`);
    const plan = await apis.openPlan(...decided);
    decided.push(plan.id);
    const answers = await Promise.all(
      Array.from({ length: ANSWERS }, (_, nth) =>
        apis.answer(plan, { person: NAMES[nth % NAMES.length] ?? "", option: "approve" }),
      ),
    );
    won.push(answers.filter(({ status }) => status === 200).length);
    informed.push(
      answers.filter(({ status, detail = "" }) => status === 409 && / answered `approve` /.test(detail))
        .length,
    );
    say(
      `  round ${round + 1}: ${won.at(-1)} of ${ANSWERS} counted, ${informed.at(-1)} got the name of the faster person`,
    );
  }
  return { answersWon: won.find((count) => count !== 1) ?? 1, answersInformed: Math.min(...informed) };
};
