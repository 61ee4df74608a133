/* What the compiler may call for a copy or a clearing of its own accord. The volatile accesses keep it from turning these
   into calls of themselves. */
#include "agent.h"

CORDON_AGENT_BEGIN

CORDON_HIDDEN void *memcpy(void *to, const void *from, size_t size) {
  volatile uint8_t *target = to;
  const uint8_t *source = from;
  while (size-- > 0) *target++ = *source++;
  return to;
}

CORDON_HIDDEN void *memmove(void *to, const void *from, size_t size) {
  volatile uint8_t *target = to;
  const uint8_t *source = from;
  if (target < (volatile uint8_t *)source) return memcpy(to, from, size);
  while (size-- > 0) target[size] = source[size];
  return to;
}

CORDON_HIDDEN void *memset(void *to, int value, size_t size) {
  volatile uint8_t *target = to;
  while (size-- > 0) *target++ = (uint8_t)value;
  return to;
}

CORDON_AGENT_END
