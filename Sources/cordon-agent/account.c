/* Counting and timing calls. */
#include "agent.h"
#include "../TrapEngine/signal_path.h"

CORDON_AGENT_BEGIN

#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000

/* Not those that never come back, nor those of the vsyscall page, which return to their caller's caller. */
static int returns(const CordonTrap *trap) {
  if (trap->instruction_address >= 0x800000000000ull) return 0;
  if (trap->architecture != CORDON_ARCH_X86_64) return 1;
  switch (trap->number & ~CORDON_X32_BIT) {
  case NR_rt_sigreturn:
  case NR_exit:
  case NR_exit_group: return 0;
  default: return 1;
  }
}

typedef enum { NoChild, OwnMemory, SharedMemory } Child;

/* Whether the call makes a child, and whether that goes on in this memory while its maker goes on too. */
static Child makes_child(const CordonTrap *trap) {
  uint64_t flags = 0;
  switch (trap->number & ~CORDON_X32_BIT) {
  case NR_fork:
  case NR_vfork: return OwnMemory; /* the one waits while the other has it */
  case NR_clone: flags = trap->arguments[0]; break;
  case NR_clone3:
    /* struct clone_args begins with them. One that cannot be read makes no child. */
    if (cordon_copy_in(&flags, trap->arguments[0], sizeof flags) != 0) return OwnMemory;
    break;
  default: return NoChild;
  }
  return (flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM ? SharedMemory : OwnMemory;
}

static void describe(CordonCall *call, const CordonTrap *trap, const CordonSite *site) {
  call->site = (uint32_t)(site - cordon_area_site(cordon_agent_area(), 0));
  call->began = cordon_ticks();
  if (cordon_agent_header.duties & CORDON_AGENT_LOGS) {
    call->thread = (int32_t)cordon_agent_call(NR_gettid, 0, 0, 0, 0, 0, 0);
    call->process = (int32_t)cordon_agent_call(NR_getpid, 0, 0, 0, 0, 0, 0);
    for (int i = 0; i < 6; i++) call->arguments[i] = trap->arguments[i];
  }
  __atomic_store_n(&call->state, CordonCallOpen, __ATOMIC_RELEASE);
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

int cordon_agent_count(const CordonTrap *trap, CordonSite **found, CordonVerdict *verdict) {
  const CordonModule *module;
  CordonSite *site = cordon_agent_site(trap, &module);
  cordon_agent_notice_change(trap);
  uint32_t action = cordon_agent_judge(trap, module);
  if (action == CORDON_ACTION_ALLOW && module != NULL && module->policy_length != 0 && !module->traps) site = NULL;
  *found = site;
  if (site != NULL) __atomic_fetch_add(&site->calls, 1, __ATOMIC_RELAXED);
  uint32_t kind = action & 0xffff0000u;
  if (kind != CORDON_ACTION_ERRNO && kind != CORDON_ACTION_KILL_PROCESS && kind != CORDON_ACTION_KILL_THREAD) return 0;
  if (site != NULL) {
    __atomic_fetch_add(&site->errors, 1, __ATOMIC_RELAXED);
    if (cordon_agent_header.duties & CORDON_AGENT_LOGS) record_untimed(trap, site);
  }
  verdict->kind = CordonVerdictError;
  verdict->value = (action & 0xffff) < 4095 ? action & 0xffff : 4095;
  if (kind != CORDON_ACTION_ERRNO)
    cordon_agent_call(CORDON_KILL_CALL, kind == CORDON_ACTION_KILL_PROCESS ? CORDON_KILL_PROCESS : CORDON_KILL_THREAD, 0, 0, 0, 0, 0);
  return 1;
}

/* The engine sees to the call: it carries it out itself, or has the program go on in the gate. An ordinary call happens
   behind a thunk of the agent's instead, whose end can be noted. What the engine does in ways of its own (a new alternate
   stack, a table of sites that is full, `int $0x80`) is counted and not timed. */
void cordon_agent_time(const CordonTrap *trap, CordonSite *site, CordonVerdict *verdict) {
  CordonRegisters *registers = trap->registers;
  CordonCall *call = returns(trap) ? cordon_agent_claim(registers->rsp) : NULL;
  if (call == NULL) {
    if (cordon_agent_header.duties & CORDON_AGENT_LOGS) record_untimed(trap, site);
    return;
  }
  describe(call, trap, site);
  uint64_t resume = registers->rip;
  call->resume = resume;
  cordon_pass(trap, trap->user_context);
  verdict->kind = CordonVerdictRedirect;
  verdict->value = (int64_t)registers->rip;
  if (registers->rip == resume) {
    cordon_agent_close(call, (long)registers->rax);
    return;
  }
  uint64_t thunk = 0;
  if (trap->architecture == CORDON_ARCH_X86_64 && cordon_resume_address(registers->rip) == resume) {
    Child child = makes_child(trap);
    thunk = child == NoChild ? cordon_agent_thunk(call)
                             : cordon_agent_child_thunk(call, registers->rip, child == SharedMemory);
  }
  if (thunk != 0) {
    verdict->value = (int64_t)thunk;
    return;
  }
  cordon_agent_give_back(call);
  if (cordon_agent_header.duties & CORDON_AGENT_LOGS) record_untimed(trap, site);
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
