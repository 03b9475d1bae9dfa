import type { DoctorSettings } from "./config.ts";
import { ok, warn, type Finding } from "./finding.ts";

const PINNED = /@sha256:[0-9a-f]{64}$/;
/** By SANDBOX_PROVIDER; nothing is pulled for local sandboxes. */
const IMAGES = { docker: ["NODE_IMAGE", "REDIS_IMAGE"], modal: ["MODAL_IMAGE"] } as const;

/** Whether the images that are pulled are named by their digest: a tag may name another image tomorrow. */
export function examineImages(settings: Omit<DoctorSettings, "SWARM_HOME">): Finding[] {
  const { SANDBOX_PROVIDER, API_BEHIND } = settings;
  // In a container of ours they are pulled already, and the settings of compose are not known.
  if (API_BEHIND !== undefined || (SANDBOX_PROVIDER !== "docker" && SANDBOX_PROVIDER !== "modal")) return [];
  const open = IMAGES[SANDBOX_PROVIDER].filter((name) => !PINNED.test(settings[name]));
  if (open.length === 0) return [ok("images", "pinned by their digests")];
  const named = open.map((name) => `${name}=${settings[name]}`).join(", ");
  return [
    warn(
      "images",
      `not pinned: ${named}`,
      "write the digest behind the tag: docs/operations.md, Images by digest",
    ),
  ];
}
