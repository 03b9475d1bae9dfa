import type { AnswerRefusal, Decision, EventToSend } from "@agentswarm/contracts";
import { consume, createSender, type QueueConnection } from "@agentswarm/queue";
import { waitUntil } from "../../../test/support/wait-until.ts";
import type { TestApi } from "./start-api.ts";

type DecisionEventType = Extract<EventToSend["type"], `decision.${string}`>;

/** Sends an api the events of decisions, as the planner would; resolves once the api shows them. */
export function openDecisionEmitter(api: TestApi) {
  const sender = createSender(api.connection, "test");
  let version = 0;
  const say = (type: DecisionEventType, decision: Decision) => {
    version += 1;
    const { id, repoId, featureId } = decision;
    const about = { id: `${type}-${id}-${version}`, repoId, featureId, ledgerVersion: version };
    return sender.event({ type, ...about, data: { decision } });
  };
  return {
    say,
    async shown(type: DecisionEventType, decision: Decision): Promise<Decision> {
      await say(type, decision);
      await waitUntil(`${decision.id} ${decision.state}`, 20_000, async () => {
        const answer = await api.ask(`/v1/decisions/${decision.id}`);
        return answer.ok && ((await answer.json()) as Decision).state === decision.state ? true : null;
      });
      return decision;
    },
    refused: ({ id, repoId, featureId }: Decision, refusal: AnswerRefusal) =>
      sender.event({
        type: "answer.refused",
        id: `refused-${refusal.answerId}`,
        repoId,
        featureId,
        data: { decisionId: id, ...refusal },
      }),
  };
}

/** Takes answers one after the other: the first that names a decision's head decides, and each later one is refused. */
export function decideByHand(
  connection: QueueConnection,
  { say, refused }: ReturnType<typeof openDecisionEmitter>,
  open: readonly Decision[],
) {
  const decisions = new Map(open.map((decision) => [decision.id, decision]));
  return consume(
    connection,
    "plan",
    async (message) => {
      if (message.kind !== "answer") return;
      const { decisionId, answer } = message;
      const decision = decisions.get(decisionId);
      if (decision === undefined || decision.answers.some(({ id }) => id === answer.id)) return;
      const [first] = decision.answers;
      const refusal = { answerId: answer.id, by: answer.by };
      if (first !== undefined)
        return refused(decision, { ...refusal, code: "decided-already", why: `${first.by} was faster` });
      if (answer.head !== decision.head)
        return refused(decision, { ...refusal, code: "head-changed", why: "another head" });
      const { option, text } = answer;
      const at = await connection.now();
      const ended = {
        state: "answered",
        answers: [{ ...answer, at }],
        outcome: { option, text },
        endedAt: at,
      } as const;
      const answered: Decision = { ...decision, ...ended, answers: [...ended.answers] };
      decisions.set(decisionId, answered);
      return say("decision.answered", answered);
    },
    { concurrency: 1 },
  );
}
