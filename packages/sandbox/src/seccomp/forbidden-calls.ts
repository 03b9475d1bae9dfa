import type { Syscall } from "./syscalls.ts";

/** ENOSYS, so that programs (libuv among them) fall back to what older kernels have. */
export const UNAVAILABLE: readonly Syscall[] = [
  "io_uring_setup",
  "io_uring_enter",
  "io_uring_register",
  "memfd_secret",
];

/** EPERM. */
export const FORBIDDEN: readonly Syscall[] = [
  // Parts of the kernel that escapes used, and that neither Node nor git nor compilers need.
  "userfaultfd",
  "bpf",
  "perf_event_open",
  "fanotify_init",
  "lookup_dcookie",
  "modify_ldt",
  "move_pages",
  "migrate_pages",
  "uselib",
  "vhangup",
  // Keys are not in a namespace.
  "add_key",
  "request_key",
  "keyctl",
  // Other processes. A filter sees no target, so that a program cannot trace its own children either.
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "process_madvise",
  "pidfd_getfd",
  "kcmp",
  // Namespaces, mounts, and files by their handle: capabilities that the sandbox has not, once more.
  "unshare",
  "setns",
  "chroot",
  "pivot_root",
  "mount",
  "umount2",
  "move_mount",
  "open_tree",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "mount_setattr",
  "open_by_handle_at",
  "quotactl",
  "quotactl_fd",
  "swapon",
  "swapoff",
  "acct",
  // The machine.
  "init_module",
  "finit_module",
  "delete_module",
  "kexec_load",
  "kexec_file_load",
  "reboot",
  "syslog",
  "iopl",
  "ioperm",
  "adjtimex",
  "settimeofday",
  "clock_settime",
  "clock_adjtime",
  "sethostname",
  "setdomainname",
];

/** The families of which a program may make sockets. */
export const SOCKET_FAMILIES = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;
/** Requests that type into a terminal: TIOCSTI and TIOCLINUX. */
export const TERMINAL_INPUT: readonly number[] = [0x5412, 0x541c];
