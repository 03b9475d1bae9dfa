import { timingSafeEqual } from "node:crypto";
import { createAttemptKey, type AttemptKey, type KeyOrder } from "./attempt-key.ts";

/** Issues the keys of attempts, and finds them again. A key is valid until it is disposed or expires. */
export interface KeyIssuer {
  issue(order: KeyOrder): AttemptKey;
  /** The valid key that an Authorization header carries, or null. */
  find(authorization: string | undefined): AttemptKey | null;
}

export function openKeyIssuer(): KeyIssuer {
  const issued = new Map<string, { readonly key: AttemptKey; readonly expiresAt: number }>();
  return {
    issue(order) {
      const key = createAttemptKey(order, (text) => issued.delete(text));
      issued.set(key.key, { key, expiresAt: order.expiresAt });
      return key;
    },
    find(authorization) {
      const given = Buffer.from(/^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? "");
      for (const { key, expiresAt } of issued.values()) {
        const text = Buffer.from(key.key);
        if (text.length === given.length && timingSafeEqual(text, given))
          return performance.now() < expiresAt ? key : null;
      }
      return null;
    },
  };
}
