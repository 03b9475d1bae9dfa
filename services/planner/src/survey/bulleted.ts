/** A list as prompts show it. */
export function bulleted(items: readonly string[], none = "(none)"): string {
  return items.map((item) => `- ${item}`).join("\n") || none;
}
