/* What Swift's Glibc module leaves out: some headers, and syscall(2), which it cannot import since it is variadic. */
#pragma once
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* As syscall(2): -1 and errno on failure. For calls that libc declares only with _GNU_SOURCE, or variadic. */
static inline long linux_call(long number, long a, long b, long c, long d, long e, long f) {
  return syscall(number, a, b, c, d, e, f);
}
