import { findChecks } from "@agentswarm/checks";
import type { LandingMode, ReviewSettings } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import type { RepoToPlan } from "./context.ts";
import type { ReviewRoom } from "./ledger/reviews/review-room.ts";
import { openReviewsKey, reviewsAheadKey, reviewTurnKey } from "./ledger/stored-ledger.ts";

/** Every step of a ledger asks; the rules change with commits of people. */
const RULES_KEPT_MS = 10_000;

/**
 * Returns a function that reads how many more landings people may be asked about; null where there is no bound: nothing
 * waits for people by LANDING, or OPEN_REVIEWS is 0.
 */
export function openReviewRoom(options: {
  readonly connection: QueueConnection;
  readonly landing: LandingMode;
  /** OPEN_REVIEWS. */
  readonly most: number;
  readonly repos: readonly RepoToPlan[];
}): () => Promise<ReviewRoom | null> {
  const { connection, landing, most, repos } = options;
  if (landing === "trunk" || most === 0) return async () => null;
  let known: { readonly at: number; readonly rules: ReviewRoom["rules"] } | null = null;
  const readRules = async () => {
    const at = performance.now();
    if (known !== null && at - known.at < RULES_KEPT_MS) return known.rules;
    const found = await Promise.all(
      repos.map(async (repo) => [repo.repoId, landing === "hold" ? "all" : await rulesOf(repo)] as const),
    );
    known = { at, rules: new Map(found) };
    return known.rules;
  };
  return async () => {
    const rules = await readRules();
    const { open, ahead, turn } = await readCounts(connection);
    const why = `OPEN_REVIEWS=${most} landings wait for people, or are on their way to them: look at them with \`swarm inbox\``;
    return { left: most - open - ahead, turn, why, rules };
  };
}

/** All of one moment: what the room is written against must not be newer than what it was counted from. */
async function readCounts(connection: QueueConnection) {
  const found = await connection.redis
    .multi()
    .scard(openReviewsKey(connection))
    .scard(reviewsAheadKey(connection))
    .hget(reviewTurnKey(connection), "turn")
    .exec();
  const [open, ahead, turn] = (found ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
  return { open: Number(open), ahead: Number(ahead), turn: typeof turn === "string" ? turn : "" };
}

/** The rules of the trunk, as of the mirror's last fetch. With rules that cannot be read, people look at everything. */
async function rulesOf({ mirror }: RepoToPlan): Promise<ReviewSettings | "all"> {
  try {
    const head = await mirror.head();
    return (await findChecks((path) => mirror.readFile(head, path))).settings.review;
  } catch {
    return "all";
  }
}
