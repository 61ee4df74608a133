/* What becomes of a trapped call: it is let through, and accounted where that is asked for. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define AT_FDCWD (-100)

/* A program is executed from here and not by way of a thunk: either nothing of this process is left afterwards, or the
   call has failed, and then it can be said why. The filter has the supervisor asked, which puts the agent into the new
   program; where there is no supervisor any more, the kernel answers ENOSYS. */
static uint32_t said; /* a shell tries the folders of PATH one after the other */

/* By way of the loader's file, of which the supervisor has given a descriptor. */
static long load(const CordonTrap *trap, long loader, long flags) {
  const uint64_t *arguments = trap->arguments;
  if (loader < 0) return loader;
  if (trap->number == NR_execve)
    return cordon_agent_load(loader, AT_FDCWD, (long)arguments[0], (long)arguments[1], (long)arguments[2], flags);
  long given = (int32_t)arguments[4];
  if (given & (CORDON_AGENT_TRACED | CORDON_AGENT_ITSELF)) given = -1; /* as good as any that the kernel does not know */
  return cordon_agent_load(loader, (long)arguments[0], (long)arguments[1], (long)arguments[2], (long)arguments[3],
                           given | flags);
}

static CordonVerdict execute(const CordonTrap *trap, const CordonSite *site) {
  CordonVerdict verdict;
  verdict.kind = CordonVerdictValue;
  if (trap->number == NR_execveat && (uint32_t)trap->arguments[4] == CORDON_AGENT_ASKS) {
    verdict.value = -CORDON_AGENT_EINVAL; /* as the kernel has it; only the agent itself has questions */
    return verdict;
  }
  uint32_t inherited = cordon_sigsys_to_inherit();
  if (inherited != 0) (void)cordon_agent_ask(CORDON_QUESTION_INHERIT, inherited);
  uint32_t mask = cordon_mask_leave();
  CordonCall *call = cordon_agent_open(trap, site);
  long mark = 0;
  if (call != NULL) {
    CordonAgentArea *area = cordon_agent_area();
    mark = (long)((uint64_t)area->number << 32) + CORDON_AGENT_EXECUTES + (call - cordon_area_call(area, 0));
  }
  uint32_t path = trap->number == NR_execve ? 0 : 1;
  long means = cordon_agent_means_itself(trap->arguments[path]) ? CORDON_AGENT_ITSELF : 0;
  if (cordon_agent_is_to_be_traced()) {
    long loader = cordon_agent_call(NR_execveat, CORDON_QUESTION_LOADER, 0, 0, 0, CORDON_AGENT_ASKS, mark);
    verdict.value = load(trap, loader, CORDON_AGENT_TRACED | means);
  } else {
    uint64_t arguments[5];
    for (int i = 0; i < 5; i++) arguments[i] = trap->arguments[i];
    if (means != 0) arguments[path] = (uint64_t)cordon_agent_own_name();
    verdict.value = cordon_agent_call(trap->number, (long)arguments[0], (long)arguments[1], (long)arguments[2],
                                      (long)arguments[3], (long)arguments[4], mark);
    if (verdict.value >= 0) verdict.value = load(trap, verdict.value, means);
  }
  cordon_mask_return(mask);
  cordon_agent_close(call, verdict.value);
  if (verdict.value == -CORDON_AGENT_ENOSYS && __atomic_exchange_n(&said, 1, __ATOMIC_RELAXED) == 0)
    cordon_agent_say("the supervisor (process ", (long)cordon_agent_header.supervisor,
                     ") is gone, so no further program can be executed");
  return verdict;
}

CordonVerdict cordon_agent_hook(CordonTrap *trap, void *context) {
  (void)context;
  CordonVerdict verdict;
  verdict.kind = CordonVerdictPass;
  verdict.value = 0;
  uint32_t duties = cordon_agent_header.duties;
  CordonSite *site = NULL;
  if (duties & CORDON_AGENT_ACCOUNTS && cordon_agent_count(trap, &site, &verdict)) return verdict;
  if (cordon_agent_signals_tracer(trap)) {
    /* From here, so that it stops for that before it does for its next trap. */
    CordonCall *call = cordon_agent_open(trap, site);
    verdict.kind = CordonVerdictValue;
    verdict.value = cordon_agent_call(trap->number, (long)trap->arguments[0], (long)trap->arguments[1],
                                      (long)trap->arguments[2], (long)trap->arguments[3], 0, 0);
    cordon_agent_close(call, verdict.value);
    return verdict;
  }
  if (trap->architecture == CORDON_ARCH_X86_64 && (trap->number == NR_execve || trap->number == NR_execveat))
    return execute(trap, site);
  if (trap->architecture == CORDON_ARCH_X86_64 && trap->number == NR_ptrace) {
    if (cordon_agent_postpones_trace(trap, &verdict)) return verdict;
    cordon_agent_note_trace(trap);
  }
  if (trap->architecture == CORDON_ARCH_X86_64 && trap->number == NR_wait4 && cordon_agent_traces()) {
    CordonCall *call = cordon_agent_open(trap, site);
    verdict.kind = CordonVerdictValue;
    verdict.value = cordon_agent_wait(trap);
    cordon_agent_close(call, verdict.value);
    return verdict;
  }
  if (cordon_agent_is_cancel_action(trap)) {
    CordonCall *call = cordon_agent_open(trap, site);
    verdict.kind = CordonVerdictValue;
    verdict.value = cordon_agent_cancel_action(trap);
    cordon_agent_close(call, verdict.value);
    return verdict;
  }
  if (duties & CORDON_AGENT_PLACES && cordon_agent_place(trap, &verdict)) return verdict;
  if (duties & CORDON_AGENT_ACCOUNTS && cordon_agent_changes_code(trap)) {
    const uint64_t *arguments = trap->arguments;
    CordonCall *call = cordon_agent_open(trap, site);
    verdict.kind = CordonVerdictValue;
    verdict.value = cordon_agent_call(trap->number, (long)arguments[0], (long)arguments[1], (long)arguments[2],
                                      (long)arguments[3], (long)arguments[4], (long)arguments[5]);
    cordon_agent_notice_change(trap);
    cordon_agent_close(call, verdict.value);
    return verdict;
  }
  if (site != NULL) cordon_agent_time(trap, site, &verdict);
  return verdict;
}

CORDON_AGENT_END
