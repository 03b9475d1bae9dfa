/** Formats a path for messages. Control and direction characters are escaped, because a terminal would act on them. */
export function show(path: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(path.slice(0, 200)).replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, escaped);
}
