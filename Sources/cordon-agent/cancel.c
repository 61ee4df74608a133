/* Handlers of the signals by which C libraries cancel threads. musl's, and glibc's from 2.41 on, look at where the signal
   has interrupted the thread: at the very call at which a thread is to end, or elsewhere. A call that is let through waits
   in a thunk, so the program's handler is called by way of one that shows it the place that the program knows. */
#include "agent.h"
#include "../TrapEngine/signal_path.h"

extern CORDON_HIDDEN const uint8_t cordon_agent_cancel_entry[];
CORDON_HIDDEN void cordon_agent_show_call(KernelUcontext *context);

CORDON_AGENT_BEGIN

#define FIRST 32 /* start.S has it too */
#define COUNT 2
#define SYSCALL_LENGTH 2

/* The program's own. A handler that is none (SIG_DFL, SIG_IGN) is the kernel's alone to know. */
CORDON_HIDDEN uint64_t cordon_agent_cancel_handlers[COUNT];

static uint32_t index_of(const CordonTrap *trap) { return (uint32_t)trap->arguments[0] - FIRST; }

int cordon_agent_is_cancel_action(const CordonTrap *trap) {
  return trap->architecture == CORDON_ARCH_X86_64 && trap->number == NR_rt_sigaction && index_of(trap) < COUNT;
}

long cordon_agent_cancel_action(const CordonTrap *trap) {
  const uint64_t *arguments = trap->arguments;
  uint64_t *own = &cordon_agent_cancel_handlers[index_of(trap)], before = __atomic_load_n(own, __ATOMIC_RELAXED);
  KernelSigaction action, old;
  int sets = arguments[1] != 0;
  if (sets && cordon_copy_in(&action, arguments[1], sizeof action) != 0) return -CORDON_EFAULT;
  if (sets) action.mask &= ~cordon_kept_open();
  if (sets && action.handler > CORDON_SIG_IGN) {
    /* Before the kernel may call it. */
    __atomic_store_n(own, action.handler, __ATOMIC_RELAXED);
    action.handler = (uint64_t)cordon_agent_cancel_entry;
  }
  long result = cordon_agent_call(NR_rt_sigaction, (long)arguments[0], sets ? (long)&action : 0, (long)&old,
                                  (long)arguments[3], 0, 0);
  if (result != 0 || arguments[2] == 0) return result;
  if (old.handler == (uint64_t)cordon_agent_cancel_entry) old.handler = before;
  return cordon_copy_out(arguments[2], &old, sizeof old);
}

/* A thread that has yet to make the call of a thunk, or is to make it again, goes on where the program makes it, and traps
   there. */
void cordon_agent_show_call(KernelUcontext *context) {
  uint64_t at = context->registers.rip, offset = at - (uint64_t)&cordon_agent_header;
  if (offset < CORDON_AGENT_CALLS || offset >= CORDON_AGENT_EXEMPT_END) return;
  if (*(const uint16_t *)at != 0x050f /* syscall */) return;
  uint64_t resume = cordon_resume_address(at);
  if (offset < CORDON_AGENT_CHILD_CALLS) {
    CordonCall *call = cordon_agent_call_of_thunk(at);
    resume = call->resume;
    cordon_agent_close(call, -CORDON_EINTR);
  }
  if (resume != 0) context->registers.rip = resume - SYSCALL_LENGTH;
}

CORDON_AGENT_END
