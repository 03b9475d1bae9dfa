import { parentPort } from "node:worker_threads";
import { findSecrets, type SearchedText } from "./find-secrets.ts";

/** Runs in a thread of its own, which openSecretScanner starts: many patterns over many megabytes take seconds. */
parentPort?.on("message", ({ id, texts }: { id: number; texts: SearchedText[] }) => {
  findSecrets(texts).then(
    (hits) => parentPort?.postMessage({ id, hits }),
    (error: Error) => parentPort?.postMessage({ id, error: error.message }),
  );
});
