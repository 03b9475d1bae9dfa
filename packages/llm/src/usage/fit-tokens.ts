const CHARS_PER_TOKEN = 4;

/** The number of tokens of a text by its length alone: fast, for reservations and for cutting. See `estimateTokens`. */
export function roughTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** Cuts a text to a number of tokens: its beginning and its end stay, with a mark between. */
export function fitTokens(text: string, maxTokens: number): string {
  if (roughTokens(text) <= maxTokens) return text;
  const half = Math.max(0, Math.floor((maxTokens * CHARS_PER_TOKEN) / 2) - 20);
  return `${text.slice(0, half)}\n[… cut …]\n${text.slice(text.length - half)}`;
}
