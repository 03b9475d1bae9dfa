/** Text from repositories, tools and agents, made unable to end the `<untrusted>` block of a prompt that holds it. */
export function untrusted(text: string): string {
  return text.replaceAll(/<(?=\s*\/?\s*untrusted)/gi, "‹");
}
