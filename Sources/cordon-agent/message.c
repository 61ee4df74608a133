/* Messages, without anything to format them. */
#include "agent.h"

CORDON_AGENT_BEGIN

static size_t append(char *line, size_t length, size_t limit, const char *text) {
  while (*text != 0 && length < limit) line[length++] = *text++;
  return length;
}

static size_t append_number(char *line, size_t length, size_t limit, unsigned long number) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (count > 0 && length < limit) line[length++] = digits[--count];
  return length;
}

void cordon_agent_number_text(char *to, size_t limit, const char *text, unsigned long number) {
  size_t length = append(to, 0, limit - 1, text);
  to[append_number(to, length, limit - 1, number)] = 0;
}

void cordon_agent_say(const char *what, long number, const char *rest) {
  char line[160];
  size_t limit = sizeof line - 1;
  size_t length = append(line, 0, limit, "cordon: run: ");
  length = append(line, length, limit, what);
  if (number >= 0) length = append_number(line, length, limit, (unsigned long)number);
  if (rest != NULL) length = append(line, length, limit, rest);
  line[length++] = '\n';
  cordon_agent_call(NR_write, 2, (long)line, (long)length, 0, 0, 0);
}

CORDON_AGENT_END
