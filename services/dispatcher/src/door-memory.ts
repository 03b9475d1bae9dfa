/** All doors together hold as much as they may: the same request can succeed a little later. */
export class DoorsFull extends Error {
  readonly status = 503;
}

/** Counts the bytes of bodies that one door holds. */
interface DoorHold extends Disposable {
  /** Throws DoorsFull before a limit is exceeded. */
  take(bytes: number): void;
  give(bytes: number): void;
}

/** Memory for the bodies at all doors of one dispatcher. */
export interface DoorMemory {
  open(): DoorHold;
}

/**
 * Half of `bytes` is divided into equal shares of `doors` doors, so that a door within its share is never refused,
 * whatever the others do. The other half is for whoever comes first.
 */
export function openDoorMemory({ bytes, doors }: { bytes: number; doors: number }): DoorMemory {
  const share = Math.floor(bytes / 2 / doors);
  const common = bytes - share * doors;
  let inCommon = 0;
  return {
    open() {
      let held = 0;
      const beyondShare = () => Math.max(0, held - share);
      const change = (by: number) => {
        const before = beyondShare();
        held += by;
        inCommon += beyondShare() - before;
      };
      return {
        take(more) {
          change(more);
          if (inCommon <= common || beyondShare() === 0) return;
          change(-more);
          throw new DoorsFull(`the sandboxes together sent ${bytes} bytes at once (DOOR_MEMORY_BYTES)`);
        },
        give: (less) => change(-less),
        [Symbol.dispose]: () => change(-held),
      };
    },
  };
}
