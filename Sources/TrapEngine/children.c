/* What a new child does before it goes on. The kernel clears syscall user dispatch in every new task, and
   clone3(CLONE_CLEAR_SIGHAND) takes the handlers from it. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

void cordon_start_child(uint64_t has_lost_handlers) {
  const CordonConfiguration *configuration = &cordon_engine.configuration;
  cordon_forget_borrower();
  if (has_lost_handlers) {
    /* The program's own handler is lost as well; what was ignored stays ignored. */
    KernelSigaction own;
    cordon_own_action(&own);
    if (own.handler != CORDON_SIG_IGN) {
      cordon_clear_words(&own, sizeof own);
      cordon_set_own_action(&own, NULL);
    }
    cordon_take_sigsys();
    if (cordon_requests_signal() != 0) (void)cordon_requests_take_signal();
  }
  if (configuration->dispatch_follows && cordon_engine_is_installed()) cordon_dispatch_arm(NULL);
}

/* Whether the call is clone3(2) for a child without signal handlers: struct clone_args begins with the flags. */
int cordon_makes_cleared_child(const CordonTrap *trap) {
  uint64_t flags;
  return cordon_copy_in(&flags, trap->arguments[0], sizeof flags) == 0 && flags & CORDON_CLONE_CLEAR_SIGHAND;
}

CORDON_SIGNAL_PATH_END
