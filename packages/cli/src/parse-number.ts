import { InvalidArgumentError } from "commander";

/** A number of an option, such as 0.5. The api says which ones it accepts. */
export function parseNumber(text: string): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) throw new InvalidArgumentError("must be a number");
  return number;
}
