/* ptrace(2), one function a request. */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

_Static_assert(sizeof(CordonThreadRegisters) == sizeof(struct user_regs_struct) &&
                   offsetof(CordonThreadRegisters, rip) == offsetof(struct user_regs_struct, rip) &&
                   offsetof(CordonThreadRegisters, gs) == offsetof(struct user_regs_struct, gs),
               "the kernel's order of registers");

static long request(enum __ptrace_request request, int32_t thread, uint64_t address, uint64_t data) {
  return ptrace(request, thread, (void *)address, (void *)data) == -1 ? -errno : 0;
}

long cordon_trace_seize(int32_t thread, uint32_t options) { return request(PTRACE_SEIZE, thread, 0, options); }
long cordon_trace_set_options(int32_t thread, uint32_t options) {
  return request(PTRACE_SETOPTIONS, thread, 0, options);
}
long cordon_trace_detach(int32_t thread, int32_t signal) { return request(PTRACE_DETACH, thread, 0, (uint64_t)signal); }
long cordon_trace_interrupt(int32_t thread) { return request(PTRACE_INTERRUPT, thread, 0, 0); }
long cordon_trace_message(int32_t thread, uint64_t *message) {
  return request(PTRACE_GETEVENTMSG, thread, 0, (uint64_t)message);
}
long cordon_trace_registers(int32_t thread, CordonThreadRegisters *registers) {
  return request(PTRACE_GETREGS, thread, 0, (uint64_t)registers);
}
long cordon_trace_set_registers(int32_t thread, const CordonThreadRegisters *registers) {
  return request(PTRACE_SETREGS, thread, 0, (uint64_t)registers);
}
