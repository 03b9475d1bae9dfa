import { MASK, maskSecrets, plainText } from "@agentswarm/contracts";
import { isSecretName } from "./secrets.ts";

/**
 * Cleans one log line, which is JSON. Secrets are masked by the name of their field, by their value and by their form,
 * at any depth. Escape sequences are removed. The message is put on one line, so that untrusted text cannot
 * look like another line of the log.
 */
export function cleanLine(line: string, secrets: readonly string[]): string {
  const cleanText = (text: string) => maskSecrets(plainText(text), secrets);
  const clean = (name: string, value: unknown): unknown => {
    if (typeof value === "string") return isSecretName(name) && value !== "" ? MASK : cleanText(value);
    if (Array.isArray(value)) return value.map((one) => clean(name, one));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [cleanText(key), clean(key, inner)]),
    );
  };
  let fields: Record<string, unknown>;
  try {
    fields = clean("", JSON.parse(line)) as Record<string, unknown>;
  } catch {
    return `${JSON.stringify({ level: 50, msg: "log line dropped: it is not valid JSON" })}\n`;
  }
  if (typeof fields["msg"] === "string") fields["msg"] = fields["msg"].replaceAll(/\s*\n\s*/g, " ⏎ ");
  return `${JSON.stringify(fields)}\n`;
}
