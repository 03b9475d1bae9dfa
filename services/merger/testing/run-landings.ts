import { join } from "node:path";
import {
  attemptRef,
  DEFAULT_REPO,
  type EventToSend,
  type LandingMode,
  type MergeOutcome,
  type MergeRequest,
} from "@agentswarm/contracts";
import { openLandingEngine, openOrigin, openStore, type Mirror } from "@agentswarm/git";
import { createSender, openPauses, type QueueConnection } from "@agentswarm/queue";
import { createLogger } from "@agentswarm/service";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { makeHandoff } from "../../../test/support/make-handoff.ts";
import { git } from "../../../test/support/string-kit.ts";
import type { LandingContext } from "../src/context.ts";
import { openLandedIndex } from "../src/landed-index.ts";
import { openMergeQueue } from "../src/queue.ts";
import { runQueue } from "../src/run-queue.ts";
import { openSecretScanner } from "../src/secrets/open-secret-scanner.ts";

/** A merge queue that runs in this process, without a gate. The test acts as the dispatcher. */
export interface Landings extends AsyncDisposable {
  readonly mirror: Mirror;
  /** Stores an attempt upon `base`: one new file, unless others are named. */
  store(taskId: string, base: string, files?: Readonly<Record<string, string>>): MergeRequest;
  /** Requests to land a stored attempt. Rejects with the fault of its job. */
  ask(request: MergeRequest): Promise<MergeOutcome>;
  /** Both of them. */
  land(taskId: string, base: string): Promise<MergeOutcome>;
}

/** `home`: a folder for store and mirror. */
export async function runLandings(options: {
  readonly connection: QueueConnection;
  readonly origin: string;
  readonly home: string;
  readonly trunk?: string;
  readonly landing?: LandingMode;
}): Promise<Landings> {
  const { connection, origin, home, trunk, landing = "trunk" } = options;
  await using stack = new AsyncDisposableStack();
  const mirror = stack.use(await openOrigin({ url: origin, mirrorDir: join(home, "mirror"), trunk }));
  const store = await openStore({ dir: join(home, "store.git") });
  const stopping = stack.adopt(new AbortController(), (one) => one.abort("stopping"));
  const { signal } = stopping;
  const queue = openMergeQueue(signal);
  const sender = createSender(connection, "merger");
  const ctx: LandingContext = {
    repoId: DEFAULT_REPO,
    connection,
    sender: { ...sender, event: async (_event: EventToSend) => undefined },
    log: createLogger({ service: "test", level: "fatal" }),
    lease: { lost: new AbortController().signal },
    mirror,
    store,
    engine: stack.use(openLandingEngine({ dir: mirror.dir, strategy: "fast-forward" })),
    landed: openLandedIndex(mirror),
    scanner: stack.use(openSecretScanner()),
    packages: { of: async () => new Map() },
    landing,
    gate: null,
    pauses: openPauses(connection),
    upkeep: {
      batchPublished: () => undefined,
      idle: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    nudgeAfter: 1_000,
    signal,
  };
  void runQueue(ctx, queue);
  const disposal = stack.move();
  let attempts = 0;
  const job = { signal, crashes: 0, atWork: async () => undefined, waitsFor: async () => undefined };
  const landings: Landings = {
    mirror,
    store(taskId, base, files = { [`src/${taskId}.js`]: `// ${taskId}\n` }) {
      const attempt = (attempts += 1);
      const ref = attemptRef(taskId, attempt);
      git(store.dir, "fetch", "-q", origin, base);
      commitFiles(store.dir, [{ ref, base, files }]);
      const headCommit = git(store.dir, "rev-parse", ref);
      const about = { taskId, featureId: "feature-1", repoId: DEFAULT_REPO, attempt, ref, title: taskId };
      const handoff = makeHandoff({ taskId, attempt, headCommit });
      return { ...about, baseCommit: base, headCommit, handoff };
    },
    ask: (request) => queue.add(request, job),
    land: (taskId, base) => landings.ask(landings.store(taskId, base)),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
  return landings;
}
