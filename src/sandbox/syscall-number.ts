// Linux system call numbers of the calls that our own small programs make (arch/x86/entry/syscalls/syscall_64.tbl and
// include/uapi/asm-generic/unistd.h).

export type Arch = 'x64' | 'arm64';

export const syscallNumbers = {
  write: { x64: 1, arm64: 64 },
  close: { x64: 3, arm64: 57 },
  rt_sigaction: { x64: 13, arm64: 134 },
  ioctl: { x64: 16, arm64: 29 },
  nanosleep: { x64: 35, arm64: 101 },
  setitimer: { x64: 38, arm64: 103 },
  socket: { x64: 41, arm64: 198 },
  sendto: { x64: 44, arm64: 206 },
  recvfrom: { x64: 45, arm64: 207 },
  sendmsg: { x64: 46, arm64: 211 },
  recvmsg: { x64: 47, arm64: 212 },
  bind: { x64: 49, arm64: 200 },
  listen: { x64: 50, arm64: 201 },
  fcntl: { x64: 72, arm64: 25 },
  socketpair: { x64: 53, arm64: 199 },
  setsockopt: { x64: 54, arm64: 208 },
  clone: { x64: 56, arm64: 220 },
  execve: { x64: 59, arm64: 221 },
  exit: { x64: 60, arm64: 93 },
  setpgid: { x64: 109, arm64: 154 },
  setsid: { x64: 112, arm64: 157 },
  setgroups: { x64: 116, arm64: 159 },
  setresuid: { x64: 117, arm64: 147 },
  setresgid: { x64: 119, arm64: 149 },
  capset: { x64: 126, arm64: 91 },
  setpriority: { x64: 141, arm64: 140 },
  prctl: { x64: 157, arm64: 167 },
  mount: { x64: 165, arm64: 40 },
  lgetxattr: { x64: 192, arm64: 9 },
  getdents64: { x64: 217, arm64: 61 },
  ioprio_set: { x64: 251, arm64: 30 },
  openat: { x64: 257, arm64: 56 },
  unshare: { x64: 272, arm64: 97 },
  dup3: { x64: 292, arm64: 24 },
  ppoll: { x64: 271, arm64: 73 },
  prlimit64: { x64: 302, arm64: 261 },
  seccomp: { x64: 317, arm64: 277 },
  statx: { x64: 332, arm64: 291 },
  close_range: { x64: 436, arm64: 436 },
} as const satisfies Record<string, Record<Arch, number>>;

export type SyscallName = keyof typeof syscallNumbers;
