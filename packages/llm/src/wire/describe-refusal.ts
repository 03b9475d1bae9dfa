import { Fault } from "@agentswarm/contracts";
import type { Backend } from "../backends/backend.ts";
import { isOperatorCause, type OperatorCause } from "./judge-refusal.ts";
import type { RefusedReply } from "./ask-once.ts";

const MAX_CHARS = 500;

/** A refusal for people: which backend, its status and message, and the setting that corrects it. */
export function describeRefusal(
  { status, message, cause, unreached }: RefusedReply,
  backend: Backend,
): string {
  if (unreached) return `${backend.name}: ${message.slice(0, MAX_CHARS)} (${backend.settings.url})`;
  const said = `${backend.name} answered ${status} ${readableMessage(message).slice(0, MAX_CHARS)}`.trim();
  return isOperatorCause(cause) ? `${said}: ${adviseOn(cause, backend)}` : said;
}

/** A refusal that a person must end. The work waits: it is retried, and goes on when the backend answers. */
export function operatorFault(why: string, retryAfterMs: number | undefined): Fault {
  return new Fault("model.refused", `the model refuses calls: ${why}`, {
    source: "operator",
    retryable: true,
    retryAfterMs,
  });
}

function adviseOn(cause: OperatorCause, { settings, apiKey, model, baseUrl }: Backend): string {
  switch (cause) {
    case "key":
      return `${apiKey === "none" ? "set" : "correct"} ${settings.key}`;
    case "credit":
      return `the account of ${settings.key} has no credit left; top it up, or use another key`;
    case "model":
      return `correct ${settings.model}, which is ${model}`;
    case "address":
      return `correct ${settings.url}, which is ${baseUrl} (most servers need /v1 at its end)`;
  }
}

/** The readable part of a refusal's body. */
function readableMessage(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown };
    const inner =
      typeof error === "object" && error !== null ? (error as { message?: unknown }).message : error;
    return [inner, message].find((one) => typeof one === "string") ?? body;
  } catch {
    return body;
  }
}
