const ESCAPES = /\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Untrusted text made safe for a terminal: without escape sequences (colours, OSC 52, titles) and control characters. */
export function plainText(text: string): string {
  return text.replaceAll(ESCAPES, "").replaceAll(CONTROLS, "");
}
