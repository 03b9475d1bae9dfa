import { assemble, type Step } from "./assemble.ts";
import { FORBIDDEN, SOCKET_FAMILIES, TERMINAL_INPUT, UNAVAILABLE } from "./forbidden-calls.ts";
import { AUDIT_ARCH, syscallNumber, type Machine, type Syscall } from "./syscalls.ts";

/** Error numbers of Linux, the same on x86_64 and aarch64. */
export const ERRNO = { EPERM: 1, ENOSYS: 38, EPROTONOSUPPORT: 93, EAFNOSUPPORT: 97 } as const;
type ErrnoName = keyof typeof ERRNO;

export const ALLOW = 0x7fff0000;
const RETURN_ERRNO = 0x00050000;

/** Returns the action that fails a system call with this error. */
export const failWith = (name: ErrnoName): number => RETURN_ERRNO | ERRNO[name];

/** Offsets in `struct seccomp_data`; the low words of the arguments. */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + 8 * index;

/** Numbers from here on are those of the x32 ABI. */
const X32 = 0x40000000;

const NETLINK_ROUTE = 0;

/** What the filter must hold because nothing else does. */
export interface FilterNeeds {
  /** Memory is measured by a supervisor, which does not see memory that is in no process and no file system. */
  readonly measuredMemory: boolean;
  /** The processors of a sandbox are limited by the affinity of its programs, which they must not change. */
  readonly fixedAffinity: boolean;
}

/** Returns the machine whose filter can be made; null for machines whose system calls are not in the table. */
export function filterMachine(arch: string = process.arch): Machine | null {
  return arch === "x64" || arch === "arm64" ? arch : null;
}

/** Builds the filter that every program in a sandbox of bubblewrap runs under: forbidden calls fail, all others work. */
export function buildFilter(machine: Machine, needs: FilterNeeds): Buffer {
  const { unix, inet, inet6, netlink } = SOCKET_FAMILIES;
  const measured: readonly Syscall[] = needs.measuredMemory ? ["memfd_create", "shmget"] : [];
  const fixed: readonly Syscall[] = needs.fixedAffinity ? ["sched_setaffinity"] : [];
  const jumps = (calls: readonly Syscall[], goto: string): Step[] =>
    calls.flatMap((call) => {
      const value = syscallNumber(call, machine);
      return value === null ? [] : [{ op: "ifEqual", value, goto } satisfies Step];
    });
  return assemble([
    { op: "load", offset: ARCH },
    { op: "ifEqual", value: AUDIT_ARCH[machine], goto: "same machine" },
    // Another ABI (32 bits) has other numbers, which this filter does not know.
    { op: "return", action: failWith("ENOSYS") },
    { op: "label", name: "same machine" },
    { op: "load", offset: NUMBER },
    { op: "ifAtLeast", value: X32, goto: "ENOSYS" },
    ...jumps([...UNAVAILABLE, ...measured], "ENOSYS"),
    ...jumps([...FORBIDDEN, ...fixed], "EPERM"),
    ...jumps(["socket"], "socket"),
    ...jumps(["ioctl"], "ioctl"),
    { op: "return", action: ALLOW },
    { op: "label", name: "socket" },
    { op: "load", offset: argument(0) },
    ...[unix, inet, inet6].map((value): Step => ({ op: "ifEqual", value, goto: "allow" })),
    { op: "ifEqual", value: netlink, goto: "netlink" },
    { op: "return", action: failWith("EAFNOSUPPORT") },
    { op: "label", name: "netlink" },
    { op: "load", offset: argument(2) },
    { op: "ifEqual", value: NETLINK_ROUTE, goto: "allow" },
    { op: "return", action: failWith("EPROTONOSUPPORT") },
    { op: "label", name: "ioctl" },
    { op: "load", offset: argument(1) },
    ...TERMINAL_INPUT.map((value): Step => ({ op: "ifEqual", value, goto: "EPERM" })),
    { op: "label", name: "allow" },
    { op: "return", action: ALLOW },
    { op: "label", name: "EPERM" },
    { op: "return", action: failWith("EPERM") },
    { op: "label", name: "ENOSYS" },
    { op: "return", action: failWith("ENOSYS") },
  ]);
}
