import type { Workshop } from "./workshop.ts";

/** Asks for a sweep after every few landings, so that a red trunk is seen soon. */
export async function nudge(shop: Workshop, published: { head: string; landings: number }): Promise<void> {
  const { sender, landed, nudgeAfter } = shop;
  const count = landed.count();
  const crossed = Math.floor(count / nudgeAfter) > Math.floor((count - published.landings) / nudgeAfter);
  if (!crossed) return;
  try {
    await sender.send("sweep", { why: "nudge" }, { jobId: `nudge-${published.head}` });
  } catch (error) {
    // What landed has landed; the reconciler looks by itself before long.
    shop.log.warn({ err: error }, "no sweep could be asked for");
  }
}
