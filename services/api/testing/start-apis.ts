import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Decision, DecisionPage, PersonRole } from "@agentswarm/contracts";
import { freePort } from "../../../test/support/free-port.ts";
import { startService, type RunningService } from "../../../test/support/service.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { makeKey } from "./make-key.ts";

const WITHIN_MS = 30_000;

/** A person's answer to a decision, as a client of one of the apis sends it. */
export interface GivenByPerson {
  readonly person: string;
  readonly option: string;
  readonly text?: string;
}

/** How an api answered it. */
export interface AnswerOfApi {
  readonly status: number;
  /** Why it does not count. */
  readonly detail?: string;
}

/** Several api processes on one Redis and with one folder, as behind a load balancer, and persons with keys. */
export interface TestApis extends AsyncDisposable {
  /** Sends an answer to one of the apis, in turn, about the head that the decision names, until its outcome is known. */
  answer(decision: Pick<Decision, "id" | "head">, given: GivenByPerson): Promise<AnswerOfApi>;
  /** The open plan decision that is none of these, once it is shown. */
  openPlan(...others: readonly string[]): Promise<Decision>;
}

export async function startApis(
  redis: { readonly url: string; readonly prefix: string },
  { count, persons }: { readonly count: number; readonly persons: Readonly<Record<string, PersonRole>> },
): Promise<TestApis> {
  const home = mkdtempSync(join(tmpdir(), "swarm-apis-"));
  const env = { REDIS_URL: redis.url, QUEUE_PREFIX: redis.prefix, SWARM_HOME: home };
  const keys = new Map<string, string>();
  for (const [name, role] of Object.entries(persons)) keys.set(name, await makeKey(env, role, { name }));
  const services: RunningService[] = [];
  const urls: string[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const port = String(await freePort());
    services.push(startService("api", { ...env, API_PORT: port }));
    urls.push(`http://127.0.0.1:${port}`);
  }
  await Promise.all(services.map((one) => one.says("answering")));
  const [anyone = ""] = keys.keys();
  const bearer = (person: string) => ({ authorization: `Bearer ${keys.get(person) ?? ""}` });
  let asked = 0;
  return {
    async answer({ id, head }, { person, option, text }) {
      asked += 1;
      const url = `${urls[asked % count]}/v1/decisions/${id}/answer`;
      const key = { "idempotency-key": `answer ${asked}`, "if-match": `"${head}"` };
      const headers = { ...bearer(person), "content-type": "application/json", ...key };
      for (;;) {
        const answered = await fetch(url, {
          method: "POST",
          headers,
          body: JSON.stringify({ option, text }),
        });
        const { detail } = (await answered.json()) as { detail?: string };
        // On a busy machine it may take longer until it is known whether the answer counts.
        if (answered.status !== 202)
          return { status: answered.status, ...(detail === undefined ? {} : { detail }) };
      }
    },
    openPlan: (...others) =>
      waitUntil("a plan that waits for an approval", WITHIN_MS, async () => {
        const page = await fetch(`${urls[0]}/v1/decisions?kind=plan`, { headers: bearer(anyone) });
        const { decisions } = (await page.json()) as DecisionPage;
        return decisions.find(({ id }) => !others.includes(id)) ?? null;
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all(services.map((one) => one.stop()));
      rmSync(home, { recursive: true, force: true });
    },
  };
}
