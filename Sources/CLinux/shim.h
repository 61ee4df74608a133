/* What Swift's Glibc module leaves out: some headers, and syscall(2), which it cannot import since it is variadic. */
#pragma once
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* A system call that libc declares only with _GNU_SOURCE, or variadic: a result, or a negated errno, as the kernel
   answers. */
static inline long linux_call(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}
