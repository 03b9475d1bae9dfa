import { expect, test } from "vitest";
import { z } from "zod";
import { QUEUES, REST, type Route } from "./index.ts";

interface JsonSchema {
  readonly type?: string;
  readonly [key: string]: unknown;
}

/** Schemas whose values code bounds when it parses them, so that their JSON schema shows no limit. */
