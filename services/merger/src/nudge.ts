import type { Workshop } from "./workshop.ts";

/** Asks for a sweep after every few landings, so that a red trunk is seen soon. `before` is where the trunk was. */
export async function nudge(shop: Workshop, before: string): Promise<void> {
  const { sender, mirror, landed, nudgeAfter } = shop;
  try {
    const head = await mirror.head();
    const count = await landed.count(head);
    const fresh = (await mirror.landings(head, before)).length;
    const crossed = Math.floor(count / nudgeAfter) > Math.floor((count - fresh) / nudgeAfter);
    if (crossed) await sender.send("sweep", { why: "nudge" }, { jobId: `nudge-${head}` });
  } catch (error) {
    // What landed has landed; the reconciler looks by itself before long.
    shop.log.warn({ err: error }, "no sweep could be asked for");
  }
}
