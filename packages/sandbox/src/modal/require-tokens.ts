import { Fault } from "@agentswarm/contracts";
import type { ModalSettings } from "../settings.ts";

export interface ModalTokens {
  readonly tokenId: string;
  readonly tokenSecret: string;
}

/** Returns both halves of the token. Throws Fault `config.invalid` that names the missing settings. */
export function requireTokens(settings: ModalSettings): ModalTokens {
  const { MODAL_TOKEN_ID: tokenId, MODAL_TOKEN_SECRET: tokenSecret } = settings;
  const missing = (["MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"] as const).filter((name) => !settings[name]);
  if (tokenId && tokenSecret) return { tokenId, tokenSecret };
  throw new Fault(
    "config.invalid",
    `SANDBOX_PROVIDER=modal needs ${missing.join(" and ")}: create a token in Modal's settings and put both halves into .env`,
  );
}
