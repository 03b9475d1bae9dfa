import { FORBIDDEN, SOCKET_FAMILIES, TERMINAL_INPUT, UNAVAILABLE } from "../seccomp/forbidden-calls.ts";
import { ERRNO } from "../seccomp/profile.ts";

/** From here on the engine's own filter refuses io_uring. It refuses more than ours besides, so it stays. */
const REFUSES_IO_URING = [25, 0, 0] as const;
/** Engines before this one cannot answer ENOSYS, which programs need to fall back from `clone3`. */
const KNOWS_ENOSYS = [20, 10, 10] as const;

/** The option of a container that gives it our filter; null where the engine's own is better. `version`: the engine's. */
export function filterOption(version: string): string | null {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+~-]/).map(Number);
  const given = [major, minor, patch];
  const isBefore = (other: readonly number[]) => {
    const at = given.findIndex((part, nth) => part !== other[nth]);
    return at !== -1 && (given[at] ?? 0) < (other[at] ?? 0);
  };
  if (given.some(Number.isNaN) || isBefore(KNOWS_ENOSYS) || !isBefore(REFUSES_IO_URING)) return null;
  return `seccomp=${JSON.stringify(buildEngineFilter())}`;
}

interface Rule {
  readonly names: readonly string[];
  readonly action: "SCMP_ACT_ERRNO";
  readonly errnoRet: number;
  readonly args?: readonly { index: number; value: number; valueTwo?: number; op: string }[];
}

/** New namespaces, in the flags of `clone`: a user namespace would give a program all capabilities in it. */
const NAMESPACE_FLAGS = [
  0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
] as const;
/** With `unshare` and `clone3` the engine's own filter refuses these to containers without capabilities. */
const ALSO_FORBIDDEN = ["get_mempolicy", "mbind", "set_mempolicy", "personality", "ustat", "sysfs"];
const LOW_WORD = 0xffffffff;

/** The filter that bubblewrap's sandboxes have, as the engine reads it. It replaces the engine's own. */
export function buildEngineFilter(): { defaultAction: string; syscalls: readonly Rule[] } {
  const fail = (names: readonly string[], errno: keyof typeof ERRNO, args?: Rule["args"]): Rule => ({
    names,
    action: "SCMP_ACT_ERRNO",
    errnoRet: ERRNO[errno],
    ...(args === undefined ? {} : { args }),
  });
  const highest = SOCKET_FAMILIES.netlink;
  const allowed: readonly number[] = Object.values(SOCKET_FAMILIES);
  const others = Array.from({ length: highest }, (_, family) => family).filter(
    (one) => !allowed.includes(one),
  );
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [
      // Its flags lie in memory, where no filter sees them; programs fall back to `clone`.
      fail([...UNAVAILABLE, "clone3"], "ENOSYS"),
      fail([...FORBIDDEN, ...ALSO_FORBIDDEN], "EPERM"),
      ...NAMESPACE_FLAGS.map((flag) =>
        fail(["clone"], "EPERM", [{ index: 0, value: flag, valueTwo: flag, op: "SCMP_CMP_MASKED_EQ" }]),
      ),
      fail(["socket"], "EAFNOSUPPORT", [{ index: 0, value: highest, op: "SCMP_CMP_GT" }]),
      ...others.map((family) =>
        fail(["socket"], "EAFNOSUPPORT", [{ index: 0, value: family, op: "SCMP_CMP_EQ" }]),
      ),
      ...TERMINAL_INPUT.map((request) =>
        fail(["ioctl"], "EPERM", [
          { index: 1, value: LOW_WORD, valueTwo: request, op: "SCMP_CMP_MASKED_EQ" },
        ]),
      ),
    ],
  };
}
