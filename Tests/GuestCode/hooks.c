#define _GNU_SOURCE
#include "GuestHooks.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ucontext.h>
#include <unistd.h>

#define NO_RUNTIME __attribute__((no_stack_protector))

void guest_clobber_avx512(void);
void guest_clobber_sse(void);

int guest_has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

void guest_clobber(void) {
  if (guest_has_avx512())
    guest_clobber_avx512();
  else
    guest_clobber_sse();
}

uint32_t guest_protection_rights(void) {
  uint32_t rights, none;
  __asm__ volatile("rdpkru" : "=a"(rights), "=d"(none) : "c"(0));
  return rights;
}

void guest_set_protection_rights(uint32_t rights) {
  __asm__ volatile("wrpkru" : : "a"(rights), "c"(0), "d"(0) : "memory");
}

static void add(uint64_t *counter) { __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); }

NO_RUNTIME static int is_outside(const GuestHookLog *log, const CordonTrap *trap) {
  return log->guest_end != 0 &&
         (trap->instruction_address < log->guest_start || trap->instruction_address >= log->guest_end);
}

NO_RUNTIME CordonVerdict guest_hook(CordonTrap *trap, void *context) {
  GuestHookLog *log = context;
  if (is_outside(log, trap)) {
    add(&log->outside);
    return (CordonVerdict){CordonVerdictPass, 0, 0};
  }
  uint32_t slot = (uint32_t)trap->number < guest_numbers ? (uint32_t)trap->number : guest_numbers - 1;
  add(&log->hooked);
  add(&log->calls[slot]);
  log->trap = *trap;
  log->registers = *trap->registers;
  log->mask = *(const uint64_t *)&((const ucontext_t *)trap->user_context)->uc_sigmask;
  log->stack = (uint64_t)__builtin_frame_address(0);
  return log->answers[slot];
}

CordonVerdict guest_clobbering_hook(CordonTrap *trap, void *context) {
  guest_clobber();
  return guest_hook(trap, context);
}

CordonVerdict guest_nesting_hook(CordonTrap *trap, void *context) {
  GuestHookLog *log = context;
  CordonVerdict verdict = guest_hook(trap, context);
  if (log->depth < log->bound) {
    log->depth++;
    if (log->depth > log->deepest) log->deepest = log->depth;
    (void)log->nested();
    log->depth--;
  }
  return verdict;
}

CordonVerdict guest_libc_hook(CordonTrap *trap, void *context) {
  CordonVerdict verdict = guest_hook(trap, context);
  if (is_outside(context, trap)) return verdict;
  int before = errno, right = 0, ends[2];
  if (getppid() > 0) right++;
  if (pipe2(ends, O_CLOEXEC) == 0) {
    char byte = 'x';
    if (write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1) right++;
    close(ends[0]);
    close(ends[1]);
  }
  if (close(-1) == -1 && errno == EBADF) right++;
  errno = before;
  return (CordonVerdict){CordonVerdictValue, 0, right};
}

NO_RUNTIME CordonVerdict guest_rewriting_hook(CordonTrap *trap, void *context) {
  CordonVerdict verdict = guest_hook(trap, context);
  CordonRegisters *registers = trap->registers;
  if (trap->number == 102) registers->rax = 39;
  if (trap->number == 24) registers->rax = 14;
  if (trap->number == 62 && registers->rdi == 0) registers->rdi = registers->rdx;
  return verdict;
}

NO_RUNTIME CordonVerdict guest_storm_hook(CordonTrap *trap, void *context) {
  GuestHookLog *log = context;
  if (trap->number != 1000) return (CordonVerdict){CordonVerdictPass, 0, 0};
  add(&log->hooked);
  return (CordonVerdict){CordonVerdictValue, 0, (int64_t)(trap->arguments[0] + log->addend)};
}

static sigjmp_buf landing;

CordonVerdict guest_jumping_hook(CordonTrap *trap, void *context) {
  (void)guest_hook(trap, context);
  siglongjmp(landing, 1);
}

long guest_call_and_jump(uint64_t code, long count) {
  volatile long jumped = 0;
  for (volatile long i = 0; i < count; i++) {
    if (sigsetjmp(landing, 1) == 0)
      ((long (*)(void))code)();
    else
      jumped++;
  }
  return jumped;
}
