import { REST, type IssuedKey } from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import { addKey, refuseWithoutAdmin, revokeKey, rotateKey, summaryOf, type MadeKey } from "../auth/keys.ts";
import type { ApiContext } from "../context.ts";
import { serveRoute } from "../serve-route.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export function keyRoutes(app: App, { keys: ring }: ApiContext): void {
  serveRoute(app, REST.getMe, ({ person: { by, role, via }, request: { keyId = null } }) => ({
    id: by,
    role,
    via,
    keyId,
  }));

  serveRoute(app, REST.listKeys, async () => {
    const now = Date.now();
    return { keys: (await ring.list()).map((key) => summaryOf(key, now)) };
  });

  serveRoute(app, REST.createKey, async ({ body: { role, name, days } }) => {
    const made = await ring.change((keys, now) => {
      const expiresAt = days === undefined ? null : Math.ceil(now + days * DAY_MS);
      const change = addKey(keys, { role, name, expiresAt }, now);
      refuseWithoutAdmin(change.keys, now);
      return change;
    });
    return issued(made);
  });

  serveRoute(app, REST.rotateKey, async ({ params: { id }, body: { overlapHours, days } }) => {
    const made = await ring.change((keys, now) => {
      const expiresAt = days === undefined ? undefined : Math.ceil(now + days * DAY_MS);
      return rotateKey(keys, id, { overlapMs: overlapHours * HOUR_MS, expiresAt }, now);
    });
    return issued(made);
  });

  serveRoute(app, REST.revokeKey, async ({ params: { id } }) => {
    const revoked = await ring.change((keys, now) => {
      const change = revokeKey(keys, id);
      refuseWithoutAdmin(change.keys, now);
      return change;
    });
    return summaryOf(revoked, Date.now());
  });
}

function issued({ key, text }: MadeKey): IssuedKey {
  return { ...summaryOf(key, Date.now()), key: text };
}
