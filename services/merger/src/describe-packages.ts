import type { PackageFacts } from "@agentswarm/checks";

/** One sentence about new packages, for the person who approves them. */
export function describePackages(facts: ReadonlyMap<string, PackageFacts | "missing" | "unknown">): string {
  const described = [...facts].map(([name, known]) => `${name} ${describe(known)}`);
  return `the registry says: ${described.join(", ")}`;
}

function describe(known: PackageFacts | "missing" | "unknown"): string {
  if (known === "missing") return "(does not exist)";
  if (known === "unknown") return "(age unknown)";
  const { since, newest, maintainers } = known;
  const told = [
    since === null ? "age unknown" : `since ${since}`,
    ...(newest === null ? [] : [`newest ${newest.version}${newest.on === null ? "" : ` of ${newest.on}`}`]),
    ...(maintainers === null ? [] : [`${maintainers} maintainer${maintainers === 1 ? "" : "s"}`]),
  ];
  return `(${told.join("; ")})`;
}
