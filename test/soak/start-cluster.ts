import { join } from "node:path";
import { buildAgent } from "@agentswarm/agent";
import { freePort } from "../../tools/local/free-port.ts";
import { openLogs } from "../../tools/local/logs.ts";
import { serviceProgram, type ServiceName } from "../../tools/local/programs.ts";
import { serviceEnvironment } from "../../tools/local/service-environment.ts";
import { supervise, type Supervised } from "../../tools/local/supervise.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Two of each service; of the two mergers one waits for the lease of the other. */
const REPLICAS: readonly ServiceName[] = ["planner", "dispatcher", "merger", "reconciler", "api"].flatMap(
  (name) => [name as ServiceName, name as ServiceName],
);
const SKEWED_CLOCK = new URL("skewed-clock.mjs", import.meta.url).href;
const GRACE_MS = 20_000;

export interface Cluster extends AsyncDisposable {
  readonly apiUrls: readonly string[];
  readonly members: readonly Supervised[];
}

/** Starts the services on a Redis and an origin that run already, and keeps them running until disposed. */
export async function startCluster(options: {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
}): Promise<Cluster> {
  const { home, say } = options;
  await using undo = new AsyncDisposableStack();
  const logs = openLogs(join(home, "logs"));
  undo.defer(() => logs.close());
  const env = { ...options.env, AGENT_FILE: await buildAgent(join(home, "agent", "agent.mjs")) };
  const members: Supervised[] = [];
  const apiUrls: string[] = [];
  for (const [index, service] of REPLICAS.entries()) {
    const name = `${service}-${(index % 2) + 1}`;
    const own: Record<string, string | undefined> = { ...env };
    if (service === "api") {
      const port = await freePort();
      own["API_PORT"] = String(port);
      apiUrls.push(`http://127.0.0.1:${port}`);
    }
    const program = serviceProgram(service, serviceEnvironment(service, own), logs.of(name));
    const member = supervise({ ...program, name, args: ["--import", SKEWED_CLOCK, ...program.args] }, say);
    members.push(member);
    undo.defer(() => member.stop(GRACE_MS));
  }
  for (const url of apiUrls) {
    await waitUntil(`the api at ${url}`, 60_000, async () => {
      const answer = await fetch(`${url}/readyz`).catch(() => null);
      return answer?.ok ? true : null;
    });
  }
  const running = undo.move();
  let stopped: Promise<void> | undefined;
  return { apiUrls, members, [Symbol.asyncDispose]: () => (stopped ??= running.disposeAsync()) };
}
