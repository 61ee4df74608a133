/* Arming syscall user dispatch in this thread. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define PR_SET_SYSCALL_USER_DISPATCH 59

static long set_dispatch(uint64_t operation, uint64_t offset, uint64_t length, volatile uint8_t *selector) {
  return cordon_engine.call(CORDON_NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, (long)operation, (long)offset, (long)length,
                            (long)selector, 0);
}

/* The dispatch of one generation. It is overwritten CORDON_DISPATCHES generations later, so whoever reads one reads it
   whole, or sees by the generation that it is not the newest any more. */
static CordonDispatch *dispatch_of(uint64_t generation) {
  return &cordon_engine.dispatches[generation % CORDON_DISPATCHES];
}

void cordon_dispatch_configure(const CordonDispatch *dispatch) {
  uint64_t generation = cordon_dispatch_generation() + 1;
  cordon_copy_words(dispatch_of(generation), dispatch, sizeof *dispatch);
  __atomic_store_n((uint64_t *)&cordon_engine.dispatch_generation, generation, __ATOMIC_RELEASE);
}

uint64_t cordon_dispatch_generation(void) {
  return __atomic_load_n((uint64_t *)&cordon_engine.dispatch_generation, __ATOMIC_ACQUIRE);
}

long cordon_dispatch_arm(volatile uint8_t *selector) {
  for (;;) {
    uint64_t generation = cordon_dispatch_generation();
    const CordonDispatch *dispatch = dispatch_of(generation);
    long result = dispatch->operation == 0
                      ? set_dispatch(0, 0, 0, NULL)
                      : set_dispatch(dispatch->operation, dispatch->offset, dispatch->length, selector);
    /* Whoever changes it meanwhile may have come to this thread before it got here. */
    if (generation == cordon_dispatch_generation()) return result;
  }
}

long cordon_dispatch_disarm(void) { return set_dispatch(0, 0, 0, NULL); }

long cordon_dispatch_probe(uint64_t operation) {
  /* Inclusive of a range that holds no code, or exclusive of everything: nothing is dispatched in between. */
  long result = operation == 2 ? set_dispatch(2, 0, 1, NULL) : set_dispatch(operation, 0, UINT64_MAX / 2, NULL);
  if (result == 0) set_dispatch(0, 0, 0, NULL);
  return result;
}

CORDON_SIGNAL_PATH_END
