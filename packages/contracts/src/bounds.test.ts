import { expect, test } from "vitest";
import { z } from "zod";
import { eventToSendSchema } from "./events/index.ts";
import { QUEUES, REST, type Route } from "./index.ts";

/** The parts of zod's definitions that say what bounds a value. */
interface Definition {
  readonly type: string;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly out?: z.ZodType;
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}
interface Check {
  readonly check: string;
  readonly format?: string;
  readonly pattern?: RegExp;
}

/** The paths below `schema` at which a string, list or record may have any size. */
function unboundedIn(schema: z.ZodType, path: string): string[] {
  const def = schema._zod.def as unknown as Definition;
  const checks = (def.checks ?? []).map((one) => one._zod.def);
  // `overwrite` is what clippedText, tailText and clippedList are made of.
  const isBounded = checks.some(
    ({ check, format, pattern }) =>
      check === "overwrite" || check === "max_length" || (format === "regex" && isFinite(pattern)),
  );
  const own = ["string", "array", "record"].includes(def.type) && !isBounded ? [`${path}: ${def.type}`] : [];
  const inner: [z.ZodType | undefined, string][] = [
    [def.element, `${path}[]`],
    [def.valueType, `${path}{}`],
    ...[def.innerType, def.out, def.left, def.right].map((one): [typeof one, string] => [one, path]),
    ...(def.options ?? []).map((one): [z.ZodType, string] => [one, path]),
    ...Object.entries(def.shape ?? {}).map(([name, one]): [z.ZodType, string] => [one, `${path}.${name}`]),
  ];
  return [...own, ...inner.flatMap(([one, at]) => (one === undefined ? [] : unboundedIn(one, at)))];
}

/** Whether a pattern says how long its text may be: it repeats nothing without an upper bound. */
function isFinite(pattern: RegExp | undefined): boolean {
  return pattern !== undefined && !/[*+]|\{\d+,\}/.test(pattern.source.replaceAll(/\[[^\]]*\]/g, "_"));
}

test.each(eventToSendSchema.options.map((schema) => [schema.shape.type.value, schema as z.ZodType] as const))(
  "every text and list of %s has a bound",
  (type, schema) => {
    expect(unboundedIn(schema, type)).toEqual([]);
  },
);

test.each(Object.entries(QUEUES))(
  "every text and list of a message in the queue %s has a bound",
  (name, schema) => {
    expect(unboundedIn(schema, name)).toEqual([]);
  },
);

test.each(Object.entries<Route>(REST))("every text and list that %s takes has a bound", (name, route) => {
  const { params, query, headers, body } = route;
  const parts = Object.entries({ params, query, headers, body });
  expect(parts.flatMap(([part, schema]) => (schema ? unboundedIn(schema, `${name}.${part}`) : []))).toEqual(
    [],
  );
});

test("what has no bound is found, however deep it lies", () => {
  const text = z.string().regex(/^a+$/).optional();
  const schema = z.object({
    list: z.array(z.nullable(text)).max(1).default([]),
    either: z.union([z.array(z.int()), z.object({ record: z.record(z.string().max(1), z.int()) })]),
  });
  expect(unboundedIn(schema, "it")).toEqual([
    "it.list[]: string",
    "it.either: array",
    "it.either.record: record",
  ]);
});
