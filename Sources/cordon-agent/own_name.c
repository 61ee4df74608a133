/* The program's own file, by the name that a program executes itself by. Where the kernel does not grant that /proc/self/exe
   names it, that is the loader's file, which is no program. */
#include "agent.h"
#include "../TrapEngine/signal_path.h"

CORDON_AGENT_BEGIN

static const char self[] = "/proc/self/exe";
static char own_name[4096];

void cordon_agent_note_own_name(const char *path) {
  for (size_t i = 0; i < sizeof own_name - 1 && path[i] != 0; i++) ((volatile char *)own_name)[i] = path[i];
}

const char *cordon_agent_own_name(void) { return own_name; }

int cordon_agent_means_itself(uint64_t path) {
  if (own_name[0] == 0) return 0;
  char given[sizeof self];
  if (cordon_copy_in(given, path, sizeof given) != 0) return 0;
  for (size_t i = 0; i < sizeof self; i++)
    if (given[i] != self[i]) return 0;
  return 1;
}

CORDON_AGENT_END
