import { Fault } from "@agentswarm/contracts";

/** How Modal is reached and what a sandbox there gets, by the names of the settings. */
export interface ModalSettings {
  readonly MODAL_TOKEN_ID?: string | undefined;
  readonly MODAL_TOKEN_SECRET?: string | undefined;
  readonly MODAL_APP: string;
  /** A Debian image with Node; git and the like are added to it. */
  readonly MODAL_IMAGE: string;
  /** Physical cores set aside for a sandbox, each worth two of a machine's; it may use more, up to its limit. */
  readonly MODAL_CPU: number;
  /** Set aside for a sandbox; it may use more, up to its limit. */
  readonly MODAL_MEMORY_MIB: number;
}

export interface ModalTokens {
  readonly tokenId: string;
  readonly tokenSecret: string;
}

/** The tokens, or Fault `config.invalid` that names the settings which are missing. */
export function needTokens(settings: ModalSettings): ModalTokens {
  const { MODAL_TOKEN_ID: tokenId, MODAL_TOKEN_SECRET: tokenSecret } = settings;
  const missing = (["MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"] as const).filter((name) => !settings[name]);
  if (tokenId && tokenSecret) return { tokenId, tokenSecret };
  throw new Fault(
    "config.invalid",
    `SANDBOX_PROVIDER=modal needs ${missing.join(" and ")}: make a token in Modal's settings and put both halves into .env`,
  );
}
