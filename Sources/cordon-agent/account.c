/* Counting and timing calls. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define MAP_FIXED 0x10

/* Calls that the engine lets through in ways of its own, that never return, or that return more than once: they are counted
   and not timed. */
static int returns_once(const CordonTrap *trap) {
  if (trap->architecture != CORDON_ARCH_X86_64) return 0;
  switch (trap->number) {
  case NR_rt_sigaction:
  case NR_rt_sigprocmask:
  case NR_rt_sigreturn:
  case NR_rt_sigsuspend:
  case NR_sigaltstack:
  case NR_clone:
  case NR_fork:
  case NR_vfork:
  case NR_clone3:
  case NR_exit:
  case NR_exit_group:
  case NR_prctl:
  case NR_seccomp:
  case NR_ptrace:
    return 0;
  /* Of the stack in use: what comes next, exit, must have one to be trapped on, and the engine sees to that. */
  case NR_munmap: return trap->registers->rsp - trap->arguments[0] >= trap->arguments[1];
  /* With a mask, which the engine keeps SIGSYS out of. */
  case NR_ppoll: return trap->arguments[3] == 0;
  case NR_epoll_pwait:
  case NR_epoll_pwait2:
  case NR_io_uring_enter: return trap->arguments[4] == 0;
  case NR_pselect6:
  case NR_io_pgetevents: return trap->arguments[5] == 0;
  default:
    /* x32's numbers, -1, and the vsyscall page, whose calls return to their caller's caller. */
    return trap->number >= 0 && trap->number < 0x40000000 && trap->instruction_address < 0x800000000000ull;
  }
}

static void describe(CordonCall *call, const CordonTrap *trap, const CordonSite *site) {
  call->site = (uint32_t)(site - cordon_area_site(cordon_agent_area(), 0));
  call->began = cordon_ticks();
  if (!(cordon_agent_header.duties & CORDON_AGENT_LOGS)) return;
  call->thread = (int32_t)cordon_agent_call(NR_gettid, 0, 0, 0, 0, 0, 0);
  call->process = (int32_t)cordon_agent_call(NR_getpid, 0, 0, 0, 0, 0, 0);
  for (int i = 0; i < 6; i++) call->arguments[i] = trap->arguments[i];
}

static void record_untimed(const CordonTrap *trap, const CordonSite *site) {
  CordonRecord record;
  record.key = site->key;
  record.module = site->module;
  record.began = cordon_ticks();
  record.ended = record.began;
  record.result = 0;
  record.has_result = 0;
  for (int i = 0; i < 6; i++) record.arguments[i] = trap->arguments[i];
  record.thread = (int32_t)cordon_agent_call(NR_gettid, 0, 0, 0, 0, 0, 0);
  record.process = (int32_t)cordon_agent_call(NR_getpid, 0, 0, 0, 0, 0, 0);
  cordon_agent_record(&record);
}

static void notice_unmapping(const CordonTrap *trap) {
  if (trap->architecture != CORDON_ARCH_X86_64) return;
  if (trap->number == NR_munmap || trap->number == NR_mremap ||
      (trap->number == NR_mmap && trap->arguments[3] & MAP_FIXED))
    cordon_agent_unmapped(trap->arguments[0], trap->arguments[1]);
}

int cordon_agent_count(const CordonTrap *trap, CordonSite **found, CordonVerdict *verdict) {
  CordonSite *site = cordon_agent_site(trap);
  notice_unmapping(trap);
  *found = site;
  if (site == NULL) return 0;
  const CordonModule *module = site->module != 0 ? cordon_area_module(cordon_agent_area(), site->module - 1) : NULL;
  uint32_t action = CORDON_ACTION_ALLOW;
  if (module != NULL && module->policy_length != 0) {
    action = cordon_agent_judge(trap, module);
    if (action == CORDON_ACTION_ALLOW && !module->traps) {
      *found = NULL;
      return 0;
    }
  }
  __atomic_fetch_add(&site->calls, 1, __ATOMIC_RELAXED);
  uint32_t kind = action & 0xffff0000u;
  if (kind != CORDON_ACTION_ERRNO && kind != CORDON_ACTION_KILL_PROCESS && kind != CORDON_ACTION_KILL_THREAD) return 0;
  __atomic_fetch_add(&site->errors, 1, __ATOMIC_RELAXED);
  if (cordon_agent_header.duties & CORDON_AGENT_LOGS) record_untimed(trap, site);
  verdict->kind = CordonVerdictError;
  verdict->value = (action & 0xffff) < 4095 ? action & 0xffff : 4095;
  if (kind != CORDON_ACTION_ERRNO)
    cordon_agent_call(CORDON_KILL_CALL, kind == CORDON_ACTION_KILL_PROCESS ? CORDON_KILL_PROCESS : CORDON_KILL_THREAD, 0, 0, 0, 0, 0);
  return 1;
}

void cordon_agent_time(const CordonTrap *trap, CordonSite *site, CordonVerdict *verdict) {
  CordonCall *call = returns_once(trap) ? cordon_agent_claim(trap->registers->rsp) : NULL;
  if (call == NULL) {
    if (cordon_agent_header.duties & CORDON_AGENT_LOGS) record_untimed(trap, site);
    return;
  }
  uint64_t thunk = cordon_agent_thunk((uint32_t)(call - cordon_area_call(cordon_agent_area(), 0)));
  call->resume = trap->registers->rip;
  call->back = thunk + 14; /* what follows the jump to cordon_agent_call_returned */
  describe(call, trap, site);
  verdict->kind = CordonVerdictRedirect;
  verdict->value = (int64_t)thunk;
}

CordonCall *cordon_agent_open(const CordonTrap *trap, const CordonSite *site) {
  CordonCall *call = site != NULL ? cordon_agent_claim(trap->registers->rsp) : NULL;
  if (call != NULL) describe(call, trap, site);
  return call;
}

void cordon_agent_close(CordonCall *call, long result) {
  if (call == NULL) return;
  call->result = (uint64_t)result;
  call->ended = cordon_ticks();
  __atomic_store_n(&call->state, CordonCallDone, __ATOMIC_RELEASE);
}

CORDON_AGENT_END
