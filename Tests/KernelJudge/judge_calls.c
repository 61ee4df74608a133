#define _GNU_SOURCE
#include "KernelJudge.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

void make_call(struct judged_call *call);
void make_old_call(struct judged_call *call);

// make_call.S knows these.
_Static_assert(offsetof(struct judged_call, address) == 0, "");
_Static_assert(offsetof(struct judged_call, arguments) == 8, "");
_Static_assert(offsetof(struct judged_call, number) == 56, "");
_Static_assert(offsetof(struct judged_call, result) == 64, "");

/// What the judging process leaves behind in memory that it shares.
struct judgement {
  int refusal;
  size_t made;
  struct judged_call calls[];
};

static const uint64_t page = 4096;
/// An instruction and the return behind it.
static const uint64_t code_length = 3;

/// Whether the page is there for code. Neighbouring calls mostly need the same one.
static int has_page(uint64_t address) {
  static uint64_t last = 1;
  static uint64_t mapped[8192];
  static size_t count = 0;
  if (address == last) return 1;
  for (size_t index = 0; index < count; index += 1) {
    if (mapped[index] == address) {
      last = address;
      return 1;
    }
  }
  if (count == sizeof mapped / sizeof *mapped) return 0;
  void *place = (void *)(uintptr_t)address;
  void *result = mmap(place, page, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (result != place) {
    if (result != MAP_FAILED) munmap(result, page);
    return 0;
  }
  mapped[count] = last = address;
  count += 1;
  return 1;
}

static int has_code(uint64_t address) {
  uint64_t first = address & -page, last = (address + code_length - 1) & -page;
  return has_page(first) && (first == last || has_page(last));
}

static void judge(const struct sock_fprog *program, struct judgement *judgement, size_t count) {
  // It ends by a fault, since its filter lets it do nothing else: neither handlers nor cores are wanted.
  signal(SIGTRAP, SIG_DFL);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  alarm(900);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (size_t index = 0; index < count; index += 1) {
    struct judged_call *call = &judgement->calls[index];
    call->result = has_code(call->address) ? 0 : JUDGED_CALL_NOT_MADE;
  }
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) != 0) {
    judgement->refusal = errno;
    _exit(1);
  }
  for (size_t index = 0; index < count; index += 1) {
    struct judged_call *call = &judgement->calls[index];
    if (call->result != JUDGED_CALL_NOT_MADE) {
      // Neighbours overlap, so each writes its code when its turn comes: `syscall` or `int $0x80`, and `ret`.
      memcpy((void *)(uintptr_t)call->address, call->is_32_bit ? "\xcd\x80\xc3" : "\x0f\x05\xc3", code_length);
      if (call->is_32_bit) make_old_call(call); else make_call(call);
    }
    judgement->made = index + 1;
  }
  // A single step ends it without a line in the kernel's log, which any other fault gets.
  __asm__ volatile("pushfq; orq $0x100, (%rsp); popfq; nop");
  __builtin_unreachable();
}

int judge_calls(const void *instructions, uint16_t length, struct judged_call *calls, size_t count) {
  size_t size = sizeof(struct judgement) + count * sizeof *calls;
  struct judgement *judgement = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (judgement == MAP_FAILED) return -errno;
  memcpy(judgement->calls, calls, count * sizeof *calls);
  struct sock_fprog program = {length, (struct sock_filter *)instructions};
  int result = 0;
  pid_t child = fork();
  if (child == 0) judge(&program, judgement, count);
  if (child < 0) {
    result = -errno;
  } else {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    if (judgement->refusal != 0) result = -judgement->refusal;
    else if (judgement->made != count) result = -ECHILD;
    memcpy(calls, judgement->calls, count * sizeof *calls);
  }
  munmap(judgement, size);
  return result;
}
