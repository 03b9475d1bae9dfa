import { InvalidArgumentError } from "commander";

/** A parser of an option's value for commander. */
export function parseWholeNumber(min: number, max?: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= min && number <= (max ?? number)) return number;
    throw new InvalidArgumentError(`a whole number from ${min}${max === undefined ? "" : ` to ${max}`}`);
  };
}
