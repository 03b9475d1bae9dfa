/** A list as prompts show it. */
export function bulleted(items: readonly string[], none = "(none)"): string {
  return items.map((item) => `- ${item}`).join("\n") || none;
}

/** Text from repositories, tools and agents, escaped so that it cannot end the `<untrusted>` block of its prompt. */
export function untrusted(text: string): string {
  return text.replaceAll(/<(?=\s*\/?\s*untrusted)/gi, "‹");
}
