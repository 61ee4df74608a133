#define _GNU_SOURCE
#include "GuestMemoryMap.h"

#include "GuestSignals.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROT_NOSYSCALL 0x40
#define SECCOMP_MODE_MEMMAP 3
#define SECCOMP_SET_MODE_MEMMAP 4
#define AUDIT_ARCH_X86_64 0xc000003eu

#define PAGE 4096l
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define RX (PROT_READ | PROT_EXEC)
#define ANSWER 4711
#define CHECK(condition) \
  if (!(condition)) return __LINE__

/* mov eax, 39 (getpid); syscall; ret */
static const unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};

static _Thread_local volatile long trapped, wrong, resumed_at;

/* What the kernel says of a call that was made from marked memory, and registers that are as before it. */
static void answer(int signal, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (signal != SIGSYS || info->si_code != 1 || info->si_errno != 0 || info->si_syscall != SYS_getpid ||
      info->si_arch != AUDIT_ARCH_X86_64 || registers[REG_RAX] != SYS_getpid ||
      registers[REG_RIP] != (long)info->si_call_addr)
    wrong++;
  resumed_at = registers[REG_RIP];
  trapped++;
  registers[REG_RAX] = ANSWER;
}

int32_t guest_map_handle(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO};
  action.sa_sigaction = answer;
  CHECK(sigaction(SIGSYS, &action, NULL) == 0);
  struct sigaction found;
  CHECK(sigaction(SIGSYS, NULL, &found) == 0);
  return 0;
}

static long call3(long number, long a, long b, long c) { return guest_native_call(number, a, b, c, 0, 0, 0); }
static long map(long at, long size, long protection, long flags) {
  return guest_native_call(SYS_mmap, at, size, protection, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static long protect(long at, long size, long protection) { return call3(SYS_mprotect, at, size, protection); }
static long unmap(long at, long size) { return call3(SYS_munmap, at, size, 0); }
static long remap(long at, long old, long new, long flags, long to) {
  return guest_native_call(SYS_mremap, at, old, new, flags, to, 0);
}

static void fill(long at, long pages) {
  for (long page = 0; page < pages; page++) memcpy((void *)(at + page * PAGE), code, sizeof code);
}

/* 1: the call goes to the handler; 0: it happens; 2: something is amiss. */
static int traps(long at) {
  long before = trapped, was_wrong = wrong;
  long result = ((long (*)(void))at)();
  if (wrong != was_wrong) return 2;
  if (trapped == before) return result == getpid() ? 0 : 2;
  return trapped == before + 1 && result == ANSWER && resumed_at == at + 7 ? 1 : 2;
}

/* Whether the pages' calls trap as a string of 0 and 1 says; '-': nothing can be read there. */
static int are(long at, const char *pages) {
  for (long page = 0; pages[page] != 0; page++) {
    long start = at + page * PAGE;
    if (pages[page] == '-') {
      int ends[2];
      if (pipe(ends) != 0) return 0;
      long result = call3(SYS_write, ends[1], start, 1);
      close(ends[0]), close(ends[1]);
      if (result != -EFAULT) return 0;
    } else if (traps(start) != pages[page] - '0') {
      return 0;
    }
  }
  return 1;
}

/* Pages of code that are marked, readable and executable; writable too where that does not matter. */
static long marked(GuestMemory memory, long pages) {
  static long next = 0x400000000000;
  long at, size = pages * PAGE;
  switch (memory) {
  case GuestMemoryPlaced: at = map(0, size, RWX | PROT_NOSYSCALL, 0); break;
  case GuestMemoryChosen:
    at = __atomic_fetch_add(&next, 0x100000, __ATOMIC_RELAXED);
    if (map(at, size, RWX | PROT_NOSYSCALL, MAP_FIXED_NOREPLACE) != at) return -1;
    break;
  case GuestMemoryUnpacked:
    at = map(0, size, PROT_READ | PROT_WRITE, 0);
    if (at < 0 && at > -4096) return -1;
    fill(at, pages);
    return protect(at, size, RWX | PROT_NOSYSCALL) == 0 ? at : -1;
  }
  if (at < 0 && at > -4096) return -1;
  fill(at, pages);
  return at;
}

int32_t guest_map_before_marks_count(GuestMemory memory) {
  long at = marked(memory, 3);
  CHECK(at > 0);
  CHECK(are(at, "000"));
  CHECK(protect(at + PAGE, PAGE, RX) == 0);
  CHECK(are(at, "000"));
  CHECK(call3(SYS_seccomp, SECCOMP_SET_MODE_MEMMAP, 1 /* SECCOMP_FILTER_FLAG_TSYNC */, 0) == -EINVAL);
  CHECK(call3(SYS_seccomp, SECCOMP_SET_MODE_MEMMAP, 0, at) == -EINVAL);
  CHECK(call3(SYS_prctl, PR_GET_SECCOMP, 0, 0) != SECCOMP_MODE_MEMMAP);
  CHECK(are(at, "000"));
  CHECK(guest_map_switch_on(0) == 0);
  CHECK(are(at, "101"));
  CHECK(unmap(at, 3 * PAGE) == 0);
  return 0;
}

int32_t guest_map_switch_on(int32_t by_prctl) {
  for (int times = 0; times < 2; times++) {
    long result = by_prctl ? guest_native_call(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_MEMMAP, 0, 0, 0, 0)
                           : call3(SYS_seccomp, SECCOMP_SET_MODE_MEMMAP, 0, 0);
    CHECK(result == 0);
    CHECK(call3(SYS_prctl, PR_GET_SECCOMP, 0, 0) == SECCOMP_MODE_MEMMAP);
  }
  return 0;
}

int32_t guest_map_parts(GuestMemory memory) {
  long at = marked(memory, 5);
  CHECK(at > 0);
  CHECK(are(at, "11111"));
  CHECK(protect(at + 2 * PAGE, PAGE, RX) == 0);
  CHECK(are(at, "11011"));
  CHECK(protect(at + 2 * PAGE, PAGE, RX | PROT_NOSYSCALL) == 0);
  CHECK(are(at, "11111"));
  CHECK(protect(at, 5 * PAGE, RWX) == 0);
  CHECK(are(at, "00000"));
  CHECK(protect(at + PAGE, 3 * PAGE, RWX | PROT_NOSYSCALL) == 0);
  CHECK(are(at, "01110"));
  CHECK(unmap(at + 2 * PAGE, PAGE) == 0);
  CHECK(are(at, "01-10"));
  CHECK(protect(at, 2 * PAGE, RWX | PROT_NOSYSCALL) == 0);
  CHECK(are(at, "11-10"));
  CHECK(map(at + 2 * PAGE, PAGE, RWX, MAP_FIXED) == at + 2 * PAGE);
  fill(at + 2 * PAGE, 1);
  CHECK(are(at, "11010"));
  CHECK(map(at + 3 * PAGE, PAGE, RWX, MAP_FIXED) == at + 3 * PAGE);
  fill(at + 3 * PAGE, 1);
  CHECK(are(at, "11000"));
  CHECK(map(at + 3 * PAGE, PAGE, RWX | PROT_NOSYSCALL, MAP_FIXED) == at + 3 * PAGE);
  fill(at + 3 * PAGE, 1);
  CHECK(are(at, "11010"));
  /* An instruction lies in marked memory with all of its bytes; the one across its end does not. */
  memcpy((void *)(at + 2 * PAGE - 6), code, sizeof code);
  CHECK(traps(at + 2 * PAGE - 6) == 0);
  CHECK(guest_native_call(SYS_pkey_mprotect, at, PAGE, RX, -1, 0, 0) == 0);
  CHECK(are(at, "01"));
  CHECK(guest_native_call(SYS_pkey_mprotect, at, PAGE, RX | PROT_NOSYSCALL, -1, 0, 0) == 0);
  CHECK(are(at, "11"));
  CHECK(unmap(at, 5 * PAGE) == 0);
  CHECK(are(at, "-----"));

  /* Addresses come again, also those of memory that was not marked any more when it was unmapped. */
  at = marked(memory, 5);
  CHECK(at > 0);
  CHECK(protect(at, 5 * PAGE, RWX) == 0);
  CHECK(unmap(at, 5 * PAGE) == 0);
  CHECK(are(at, "-----"));
  long again = marked(memory, 5);
  CHECK(again > 0 && (memory != GuestMemoryPlaced || again == at));
  CHECK(unmap(again, 5 * PAGE) == 0);

  long file = memfd_create("guest", MFD_CLOEXEC);
  CHECK(file >= 0 && ftruncate((int)file, 2 * PAGE) == 0 && write((int)file, code, sizeof code) == sizeof code);
  at = guest_native_call(SYS_mmap, 0, 2 * PAGE, RX | PROT_NOSYSCALL, MAP_SHARED, file, 0);
  CHECK(at > 0);
  CHECK(are(at, "1"));
  CHECK(unmap(at, 2 * PAGE) == 0);
  close((int)file);
  return 0;
}

int32_t guest_map_moves(GuestMemory memory) {
  long at = marked(memory, 3), is_elsewhere;
  CHECK(at > 0);
  CHECK(protect(at, PAGE, RWX) == 0);
  CHECK(are(at, "011"));
  long to = remap(at, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE, 0);
  CHECK(to > 0);
  is_elsewhere = to != at;
  fill(to + 3 * PAGE, 3);
  CHECK(are(to, "011111"));
  CHECK(!is_elsewhere || are(at, "---"));
  CHECK(remap(to, 6 * PAGE, 2 * PAGE, 0, 0) == to);
  CHECK(are(to, "01----"));
  long place = map(0, 4 * PAGE, PROT_NONE, 0);
  CHECK(place > 0);
  CHECK(remap(to, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
  fill(place + 2 * PAGE, 1);
  CHECK(are(place, "011-"));
  CHECK(are(to, "--"));
  /* Memory that is not marked, moved to where it was marked. */
  long plain = map(0, PAGE, RWX, 0);
  CHECK(plain > 0);
  fill(plain, 1);
  CHECK(remap(plain, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + PAGE) == place + PAGE);
  CHECK(are(place, "001-"));
  CHECK(unmap(place, 4 * PAGE) == 0);

  at = marked(memory, 2);
  CHECK(at > 0);
  to = remap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
  CHECK(to > 0 && to != at);
  CHECK(are(to, "11"));
  fill(at, 2);
  CHECK(are(at, "11"));
  CHECK(unmap(at, 2 * PAGE) == 0 && unmap(to, 2 * PAGE) == 0);

  /* What is made shorter may have holes. */
  at = marked(memory, 4);
  CHECK(at > 0);
  CHECK(unmap(at + 2 * PAGE, PAGE) == 0);
  CHECK(remap(at, 4 * PAGE, PAGE, 0, 0) == at);
  CHECK(are(at, "1---"));
  CHECK(unmap(at, PAGE) == 0);
  return 0;
}

/* Shared memory is mapped a second time: over what is marked, and where it is marked itself. */
int32_t guest_map_copies(GuestMemory memory) {
  long at = marked(memory, 2);
  long shared = guest_native_call(SYS_mmap, 0, PAGE, RWX, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(at > 0 && shared > 0);
  fill(shared, 1);
  CHECK(remap(shared, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
  CHECK(are(at, "01") && are(shared, "0"));
  CHECK(protect(shared, PAGE, RWX | PROT_NOSYSCALL) == 0);
  long other = remap(shared, 0, PAGE, MREMAP_MAYMOVE, 0);
  CHECK(other > 0 && other != shared);
  CHECK(remap(shared, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
  CHECK(are(at, "11") && are(shared, "1") && are(other, "1"));
  CHECK(remap(at + PAGE, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == -EINVAL); /* it is not shared */
  CHECK(unmap(at, 2 * PAGE) == 0 && unmap(shared, PAGE) == 0 && unmap(other, PAGE) == 0);
  return 0;
}

/* mremap(2) that lacks memory has unmapped already what it was to replace. */
int32_t guest_map_lost_target(void) {
  long place = 0x410000000000, size = 1l << 30, kept;
  CHECK(map(place, PAGE, RWX | PROT_NOSYSCALL, MAP_FIXED_NOREPLACE) == place);
  fill(place, 1);
  CHECK(are(place, "1"));
  long large = map(0, size, PROT_NONE, MAP_NORESERVE);
  CHECK(large > 0);
  struct rlimit before;
  CHECK(getrlimit(RLIMIT_AS, &before) == 0);
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld", &kept) == 1);
  fclose(file);
  struct rlimit little = {(rlim_t)(kept * PAGE) + (64 << 20), before.rlim_max};
  CHECK(setrlimit(RLIMIT_AS, &little) == 0);
  CHECK(remap(large, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, place) == -ENOMEM);
  CHECK(setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(are(place, "-"));
  /* Other code's, that the kernel has put there. */
  CHECK(map(place, PAGE, RWX, 0) == place);
  fill(place, 1);
  CHECK(are(place, "0"));
  CHECK(unmap(place, PAGE) == 0 && unmap(large, size) == 0);
  return 0;
}

/* What the kernel refuses it refuses with the mark as without it. */
int32_t guest_map_bad_calls(GuestMemory memory) {
  long at = marked(memory, 4), wall = 1l << 47;
  CHECK(at > 0);
  CHECK(unmap(at + 3 * PAGE, PAGE) == 0);
  const struct {
    long number, a[6];
    long error; /* -errno, or 0 where the call succeeds */
  } calls[] = {
      {SYS_mprotect, {at + 1, PAGE, RX}, -EINVAL},
      {SYS_mprotect, {at, 0, RX}, 0},
      {SYS_mprotect, {at, PAGE, RX | 0x4000}, -EINVAL},
      {SYS_mprotect, {at, -1, RX}, -ENOMEM},
      {SYS_mprotect, {wall, PAGE, RX}, -ENOMEM},
      {SYS_pkey_mprotect, {at, PAGE, RX, 99}, -EINVAL},
      {SYS_pkey_mprotect, {at + 3 * PAGE, PAGE, RX, 99}, -EINVAL},
      {SYS_mmap, {0, 0, RX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, -EINVAL},
      {SYS_mmap, {0, PAGE, RX, MAP_ANONYMOUS, -1, 0}, -EINVAL},
      {SYS_mmap, {0, PAGE, RX, MAP_PRIVATE, -1, 0}, -EBADF},
      {SYS_mmap, {0, PAGE, RX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1}, -EINVAL},
      {SYS_mmap, {0, wall, RX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, -ENOMEM},
      {SYS_mmap, {at + 1, PAGE, RX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0}, -EINVAL},
      {SYS_mmap, {at, PAGE, RX, MAP_PRIVATE | MAP_FIXED, -1, 0}, -EBADF},
      {SYS_mmap, {at, PAGE, RX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0}, -EEXIST},
      {SYS_mmap, {wall, PAGE, RX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0}, -ENOMEM},
      {SYS_munmap, {at + 1, PAGE}, -EINVAL},
      {SYS_munmap, {at, 0}, -EINVAL},
      {SYS_munmap, {wall, PAGE}, -EINVAL},
      {SYS_mremap, {at + 1, PAGE, PAGE, 0, 0}, -EINVAL},
      {SYS_mremap, {at, PAGE, 0, 0, 0}, -EINVAL},
      {SYS_mremap, {at, PAGE, PAGE, 0x100, 0}, -EINVAL},
      {SYS_mremap, {at, PAGE, PAGE, MREMAP_FIXED, at + PAGE}, -EINVAL},
      {SYS_mremap, {at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE + 1}, -EINVAL},
      {SYS_mremap, {at + 3 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0}, -EFAULT},
      {SYS_mremap, {at + 3 * PAGE, PAGE, PAGE, MREMAP_DONTUNMAP, 0}, -EINVAL},
      {SYS_mremap, {at + 2 * PAGE, 2 * PAGE, PAGE, MREMAP_FIXED, at}, -EINVAL},
      {SYS_mremap, {at, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE}, -EINVAL},
  };
  for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    const long *a = calls[i].a;
    int has_protection = calls[i].number != SYS_munmap && calls[i].number != SYS_mremap;
    long protection = a[2] | (has_protection ? PROT_NOSYSCALL : 0);
    long result = guest_native_call(calls[i].number, a[0], a[1], protection, a[3], a[4], a[5]);
    if (result != calls[i].error) return (int32_t)(10000 + i * 1000 - result);
    CHECK(are(at, "111-"));
  }
  /* mprotect goes on to what it cannot protect, with the mark and without it. */
  CHECK(protect(at, 4 * PAGE, RWX) == -ENOMEM);
  CHECK(are(at, "000-"));
  CHECK(protect(at + PAGE, 3 * PAGE, RX | PROT_NOSYSCALL) == -ENOMEM);
  CHECK(are(at, "011-"));
  CHECK(unmap(at, 4 * PAGE) == 0);
  return 0;
}

int32_t guest_map_forks(GuestMemory memory) {
  long at = marked(memory, 3);
  CHECK(at > 0);
  CHECK(protect(at, PAGE, RWX) == 0);
  for (int times = 0; times < 3; times++) {
    pid_t child = fork();
    if (child == 0) {
      int is_same = call3(SYS_prctl, PR_GET_SECCOMP, 0, 0) == SECCOMP_MODE_MEMMAP && are(at, "011");
      int is_changed = protect(at, 2 * PAGE, RWX) == 0 && are(at, "001") &&
                       protect(at, PAGE, RWX | PROT_NOSYSCALL) == 0 && are(at, "101") && unmap(at + PAGE, PAGE) == 0 &&
                       are(at, "1-1");
      _exit(is_same && is_changed ? 0 : is_same ? 2 : 1);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(are(at, "011"));
  }
  CHECK(unmap(at, 3 * PAGE) == 0);
  return 0;
}

int32_t guest_map_segments(GuestMemory memory) {
  long id = call3(SYS_shmget, IPC_PRIVATE, PAGE + 1, 0700);
  CHECK(id >= 0);
  long at = marked(memory, 5);
  CHECK(at > 0);
  /* Where something is mapped already only with SHM_REMAP. */
  CHECK(call3(SYS_shmat, id, at + PAGE, SHM_EXEC) == -EINVAL);
  CHECK(call3(SYS_shmat, -1, at + PAGE, SHM_EXEC | SHM_REMAP) == -EINVAL);
  CHECK(call3(SYS_shmat, id, at + PAGE + 1, SHM_EXEC | SHM_REMAP) == -EINVAL);
  CHECK(are(at, "11111"));
  CHECK(call3(SYS_shmat, id, at + PAGE + 1, SHM_EXEC | SHM_REMAP | SHM_RND) == at + PAGE);
  fill(at + PAGE, 2);
  CHECK(are(at, "10011"));
  /* Marked in part, and detached. */
  CHECK(protect(at + 2 * PAGE, PAGE, RX | PROT_NOSYSCALL) == 0);
  CHECK(are(at, "10111"));
  CHECK(call3(SYS_shmdt, at + 2 * PAGE, 0, 0) == -EINVAL);
  CHECK(are(at, "10111"));
  CHECK(call3(SYS_shmdt, at + PAGE, 0, 0) == 0);
  CHECK(are(at, "1--11"));
  /* What was placed lies where nothing else comes to lie, whatever the kernel is asked for. */
  CHECK(memory != GuestMemoryPlaced || call3(SYS_msync, at + PAGE, 2 * PAGE, MS_ASYNC) == 0);
  long how = memory == GuestMemoryPlaced ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  CHECK(map(at + PAGE, 2 * PAGE, RWX, how) == at + PAGE);
  fill(at + PAGE, 2);
  CHECK(are(at, "10011"));
  /* A segment of which something else has replaced the first page. */
  CHECK(call3(SYS_shmat, id, at + PAGE, SHM_EXEC | SHM_REMAP) == at + PAGE);
  fill(at + PAGE, 2);
  CHECK(protect(at + PAGE, 2 * PAGE, RX | PROT_NOSYSCALL) == 0);
  CHECK(are(at, "11111"));
  CHECK(map(at + PAGE, PAGE, RWX | PROT_NOSYSCALL, MAP_FIXED) == at + PAGE);
  fill(at + PAGE, 1);
  CHECK(call3(SYS_shmdt, at + PAGE, 0, 0) == 0);
  CHECK(are(at, "11-11"));
  CHECK(unmap(at, 5 * PAGE) == 0);
  CHECK(are(at, "-----"));
  struct shmid_ds status;
  CHECK(call3(SYS_shmctl, id, IPC_STAT, (long)&status) == 0 && status.shm_nattch == 0);
  CHECK(call3(SYS_shmctl, id, IPC_RMID, 0) == 0);
  return 0;
}

int32_t guest_map_file_pages(GuestMemory memory) {
  long file = memfd_create("guest", MFD_CLOEXEC), at = marked(memory, 4);
  CHECK(at > 0);
  CHECK(file >= 0 && ftruncate((int)file, 4 * PAGE) == 0);
  CHECK(guest_native_call(SYS_mmap, at, 4 * PAGE, RWX | PROT_NOSYSCALL, MAP_SHARED | MAP_FIXED, file, 0) == at);
  fill(at, 4);
  CHECK(are(at, "1111"));
  CHECK(guest_native_call(SYS_remap_file_pages, at + PAGE, PAGE, PROT_READ, 3, 0, 0) == -EINVAL);
  CHECK(guest_native_call(SYS_remap_file_pages, at + PAGE, PAGE - 1, 0, 3, 0, 0) == -EINVAL);
  CHECK(are(at, "1111"));
  CHECK(guest_native_call(SYS_remap_file_pages, at + PAGE + 1, 2 * PAGE - 1, 0, 3, 0, 0) == 0);
  CHECK(are(at, "1011"));
  CHECK(protect(at + PAGE, PAGE, RWX | PROT_NOSYSCALL) == 0);
  CHECK(are(at, "1111"));
  CHECK(unmap(at, 4 * PAGE) == 0);
  close((int)file);
  return 0;
}

int32_t guest_map_break(void) {
  /* malloc has what it needs, and leaves the break alone. */
  mallopt(M_MMAP_THRESHOLD, 32 << 20), mallopt(M_TRIM_THRESHOLD, 1 << 30);
  free(malloc(8 << 20));
  long before = guest_native_call(SYS_brk, 0, 0, 0, 0, 0, 0), at = (before + PAGE - 1) & -PAGE, end = at + 4 * PAGE;
  for (int times = 0; times < 2; times++) {
    CHECK(guest_native_call(SYS_brk, end, 0, 0, 0, 0, 0) == end);
    fill(at, 4);
    CHECK(protect(at, 4 * PAGE, RWX | PROT_NOSYSCALL) == 0);
    CHECK(are(at, "1111"));
    CHECK(guest_native_call(SYS_brk, 1, 0, 0, 0, 0, 0) == end);
    CHECK(are(at, "1111"));
    CHECK(guest_native_call(SYS_brk, end - 2 * PAGE - 1, 0, 0, 0, 0, 0) == end - 2 * PAGE - 1);
    CHECK(are(at, "11--"));
    CHECK(guest_native_call(SYS_brk, end, 0, 0, 0, 0, 0) == end);
    CHECK(protect(at + 2 * PAGE, 2 * PAGE, RWX) == 0);
    fill(at + 2 * PAGE, 2);
    CHECK(are(at, "1100"));
    CHECK(guest_native_call(SYS_brk, before, 0, 0, 0, 0, 0) == before);
    CHECK(are(at, "----"));
  }
  return 0;
}

int32_t guest_map_round(GuestMemory memory) {
  long at = marked(memory, 2);
  CHECK(at > 0);
  CHECK(are(at, "11"));
  CHECK(protect(at + PAGE, PAGE, RX) == 0);
  CHECK(are(at, "10"));
  CHECK(unmap(at, PAGE) == 0);
  CHECK(are(at + PAGE, "0"));
  /* The first page may be another thread's by now. */
  CHECK(unmap(at + PAGE, PAGE) == 0);
  return 0;
}

void guest_map_allocations(void) {
  mallopt(M_MMAP_THRESHOLD, 0);
  mallopt(M_TOP_PAD, 0);
  malloc_trim(0);
}
