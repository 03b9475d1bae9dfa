import { expect, test } from "vitest";
import { JOB_CRASH_LIMIT } from "./crash-count.ts";
import { openRoom } from "./room.ts";

const never = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Asks for admission of one job per entry and gives the indexes of those that were admitted. */
async function admitted(crashes: readonly number[]): Promise<number[]> {
  const room = openRoom();
  const seen: number[] = [];
  for (const [index, count] of crashes.entries()) void room.enter(count, never).then(() => seen.push(index));
  await turn();
  return seen;
}

test("after one crash all jobs begin at once", async () => {
  expect(await admitted(Array.from({ length: 50 }, () => 1))).toHaveLength(50);
});

test("after two crashes four jobs work at once, and after three a job is alone", async () => {
  expect(await admitted([2, 2, 2, 2, 2])).toEqual([0, 1, 2, 3]);
  expect(await admitted([0, 0, 0, 2, 0])).toEqual([0, 1, 2, 3]);
  expect(await admitted([3, 0])).toEqual([0]);
  expect(await admitted([0, 3, 0])).toEqual([0]);
});

test("a suspect that waits is not passed by others, and begins when the ones before it have ended", async () => {
  const room = openRoom();
  const first = await room.enter(0, never);
  const order: string[] = [];
  const suspect = room.enter(3, never).then((place) => (order.push("suspect"), place));
  void room.enter(0, never).then(() => order.push("other"));
  await turn();
  expect(order).toEqual([]);
  first[Symbol.dispose]();
  const place = await suspect;
  await turn();
  expect(order).toEqual(["suspect"]);
  place[Symbol.dispose]();
  await turn();
  expect(order).toEqual(["suspect", "other"]);
});

test("an aborted job leaves the queue, and the next one begins", async () => {
  const room = openRoom();
  using _first = await room.enter(0, never);
  const abort = new AbortController();
  const suspect = room.enter(3, abort.signal);
  const other = room.enter(0, never);
  abort.abort("shutdown");
  await expect(suspect).rejects.toThrow("aborted");
  await other;
});

test("a job that kills its process makes a dead letter of itself alone, whatever the order", async () => {
  for (let shift = 0; shift < 21; shift += 1) {
    const jobs = Array.from({ length: 21 }, (_, index) => ({
      crashes: 0,
      isPoison: index === shift,
      state: "waits",
    }));
    let processes = 0;
    while (jobs.some(({ state }) => state === "waits")) {
      processes += 1;
      await oneProcess(jobs);
    }
    expect(jobs.filter(({ state }) => state === "dead").map(({ isPoison }) => isPoison)).toEqual([true]);
    expect(processes).toBeLessThanOrEqual(JOB_CRASH_LIMIT + 1);
  }
});

/** One life of a process: it takes all jobs, and ends when the poisonous one begins to work. */
async function oneProcess(jobs: { crashes: number; isPoison: boolean; state: string }[]): Promise<void> {
  const room = openRoom();
  const atWork = new Set<(typeof jobs)[number]>();
  let crashed = false;
  for (const job of jobs.filter(({ state }) => state === "waits")) {
    if (job.crashes >= JOB_CRASH_LIMIT) job.state = "dead";
    else
      void room.enter(job.crashes, never).then(async (place) => {
        if (crashed) return;
        atWork.add(job);
        await turn();
        if (crashed) return;
        if (job.isPoison) {
          crashed = true;
          for (const one of atWork) one.crashes += 1;
          return;
        }
        atWork.delete(job);
        job.state = "done";
        place[Symbol.dispose]();
      });
  }
  for (let index = 0; index < 60 && !crashed; index += 1) await turn();
}
