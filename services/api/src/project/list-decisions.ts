import {
  includesRole,
  type Decision,
  type DecisionPage,
  type DecisionQuery,
  type PersonRole,
} from "@agentswarm/contracts";
import { decisionMember, decisionsOf, pageOfDecisions } from "./read-indexes.ts";
import type { ViewStore } from "./view-store.ts";
import type { DecisionView } from "./views.ts";

/** Who asks for a list. */
export interface Asker {
  /** The person as answers name it. */
  readonly by: string;
  readonly role: PersonRole;
}

/** Decisions that one request looks at; the cursor leads on, so a page may be short or empty. */
const SEARCHED = 1_000;
const PAGE = 200;

/** One page of the decisions that a query asks for. Open ones: due first at the top. Ended ones: newest first. */
export async function listDecisions(
  views: ViewStore,
  query: DecisionQuery,
  asker: Asker,
): Promise<DecisionPage> {
  const { state, kind, featureId, taskId, mine, limit, cursor } = query;
  const isAsked = (decision: DecisionView) =>
    decision.state === state &&
    (kind === undefined || decision.kind === kind) &&
    (featureId === undefined || decision.featureId === featureId) &&
    (mine === "false" || mayAnswer(decision, asker));
  const subject = taskId === undefined ? (featureId === undefined ? null : { featureId }) : { taskId };
  if (subject !== null) {
    const all = await views.readMany("decisions", await decisionsOf(views, subject));
    return sliceOf(all.filter(isAsked), query);
  }
  const found: Decision[] = [];
  let next: string | null | undefined = cursor;
  for (let searched = 0; searched < SEARCHED && next !== null; searched += PAGE) {
    const page = await pageOfDecisions(views, state, next, PAGE);
    for (const decision of await views.readMany("decisions", page.ids)) {
      if (!isAsked(decision)) continue;
      found.push(withoutInternals(decision));
      if (found.length === limit) {
        const isLast = page.cursor === null && page.ids.at(-1) === decision.id;
        return { decisions: found, cursor: isLast ? null : page.cursorOf(decision.id) };
      }
    }
    next = page.cursor;
  }
  return { decisions: found, cursor: next ?? null };
}

/** The open decisions about a feature and its tasks, or about one task, oldest first. */
export async function openDecisionsOf(
  views: ViewStore,
  subject: Parameters<typeof decisionsOf>[1],
): Promise<DecisionView[]> {
  const all = await views.readMany("decisions", await decisionsOf(views, subject));
  return all.filter((decision) => decision.state === "open");
}

/** The page behind the cursor, of decisions that are all there. */
function sliceOf(all: readonly DecisionView[], { state, limit, cursor }: DecisionQuery): DecisionPage {
  const sorted = all
    .map((decision) => ({ decision, member: decisionMember(decision) }))
    .toSorted((a, b) => (a.member < b.member ? -1 : 1));
  const inOrder = state === "open" ? sorted : sorted.toReversed();
  const isBehind = (member: string) =>
    cursor === undefined || (state === "open" ? member > cursor : member < cursor);
  const left = inOrder.filter(({ member }) => isBehind(member));
  const page = left.slice(0, limit);
  return {
    decisions: page.map(({ decision }) => withoutInternals(decision)),
    cursor: left.length > limit ? (page.at(-1)?.member ?? null) : null,
  };
}

/** Whether this person's answer would count. */
function mayAnswer({ needs, answers }: Decision, { by, role }: Asker): boolean {
  return (
    includesRole(role, needs.role) && !needs.notBy.includes(by) && !answers.some((answer) => answer.by === by)
  );
}

/** A decision as people see it. */
export function withoutInternals({
  ledgerVersion: _,
  refusals: _refusals,
  ...decision
}: DecisionView): Decision {
  return decision;
}
