import type { Fault } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { persevere } from "./persevere.ts";

const full = () => Object.assign(new Error("ENOSPC: write"), { code: "ENOSPC" });

function makeJob() {
  const stopping = new AbortController();
  const noted: string[] = [];
  const job = {
    signal: stopping.signal,
    waitsFor: async (fault: Fault) => void noted.push(fault.code),
    goesOn: async () => void noted.push("goes on"),
  };
  return { job, noted, stopping };
}

test("a step is repeated until nothing passing stops it, and the job says what it waits for", async () => {
  const { job, noted } = makeJob();
  let tries = 0;
  const done = await persevere(job, async () => {
    tries += 1;
    if (tries < 3) throw full();
    return "done";
  });
  expect([done, noted]).toEqual(["done", ["disk.full", "disk.full", "goes on"]]);
});

test("a step that works at once says nothing", async () => {
  const { job, noted } = makeJob();
  expect(await persevere(job, async () => 1)).toBe(1);
  expect(noted).toEqual([]);
});

test("a bug, and every fault of an aborted job, ends the step", async () => {
  const { job, noted, stopping } = makeJob();
  const fails = (error: Error) => persevere(job, () => Promise.reject(error));
  await expect(fails(new TypeError("x is undefined"))).rejects.toMatchObject({ source: "bug" });
  stopping.abort("shutdown");
  await expect(fails(full())).rejects.toMatchObject({ code: "disk.full" });
  expect(noted).toEqual([]);
});

test("an abort ends the wait", async () => {
  const { job, stopping } = makeJob();
  setTimeout(() => stopping.abort("shutdown"), 5);
  await expect(persevere(job, () => Promise.reject(full()))).rejects.toMatchObject({ code: "disk.full" });
});
