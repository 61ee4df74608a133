/* In a process that has executed the loader's file in a program's place: maps the program, and leaves all as execve(2) would
   have. The agent is set up by now. */
#include "elf_files.h"

CORDON_AGENT_BEGIN

#define PAGE 4096ull
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define PROT_GROWSDOWN 0x01000000
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED 0x10
#define PR_SET_NAME 15
#define PR_SET_MM 35
#define PR_SET_MM_MAP 14
#define ADDR_NO_RANDOMIZE 0x0040000
#define PROGRAM_BASE 0x555555554000ull /* of position-independent programs; 28 bits of pages more at random */
#define NO_FILE UINT32_MAX

enum { AT_PHDR = 3, AT_PHNUM = 5, AT_BASE = 7, AT_ENTRY = 9, AT_EXECFN = 31 };

/* What the kernel leaves on the stack for a program. */
typedef struct {
  uint64_t count; /* of arguments */
  uint64_t *arguments, *environment, *auxiliary;
  uint64_t environment_count, auxiliary_words;
} Stack;

/* struct prctl_mm_map of linux/prctl.h */
typedef struct {
  uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end;
  uint64_t *auxiliary;
  uint32_t auxiliary_size, executable;
} MemoryMap;

static void fail(const char *what, long error) {
  cordon_agent_say(what, -error, NULL);
  for (;;) cordon_agent_call(NR_exit_group, 127, 0, 0, 0, 0, 0);
}

static uint64_t length_of(const char *text) {
  uint64_t length = 0;
  while (((const volatile char *)text)[length] != 0) length++;
  return length;
}

static void read_stack(uint64_t *words, Stack *stack) {
  stack->count = words[0];
  stack->arguments = words + 1;
  stack->environment = stack->arguments + stack->count + 1;
  uint64_t count = 0;
  while (stack->environment[count] != 0) count++;
  stack->environment_count = count;
  stack->auxiliary = stack->environment + count + 1;
  uint64_t used = 0;
  while (stack->auxiliary[used] != 0) used += 2;
  stack->auxiliary_words = used + 2;
}

/* The record's texts, one after the other: the program's name, and the words of interpreters from the last to the first. */
static const char *text(const CordonLoadRecord *record, uint64_t index) {
  const char *at = (const char *)(record + 1);
  while (index-- > 0) at += length_of(at) + 1;
  return at;
}

static char *push(char *top, const char *word) {
  uint64_t size = length_of(word) + 1;
  top -= size;
  for (uint64_t i = 0; i < size; i++) ((volatile char *)top)[i] = word[i];
  return top;
}

static uint64_t count_of(const CordonLoadRecord *record, const Stack *old) {
  return record->words == 0 || old->count == 0 ? old->count + record->words : old->count - 1 + record->words;
}

/* Where the arguments' texts are: with a script's first, anew, all of them in a row. */
static char *push_words(const CordonLoadRecord *record, const Stack *old, char *top, uint64_t *words, MemoryMap *map) {
  if (record->words == 0) {
    for (uint64_t i = 0; i < old->count; i++) words[i] = old->arguments[i];
    map->arg_start = old->count != 0 ? words[0] : (uint64_t)top;
    map->arg_end = old->count != 0 ? words[old->count - 1] + length_of((char *)words[old->count - 1]) + 1 : (uint64_t)top;
    return top;
  }
  map->arg_end = (uint64_t)top;
  uint64_t at = count_of(record, old);
  for (uint64_t i = old->count; i-- > 1;) words[--at] = (uint64_t)(top = push(top, (char *)old->arguments[i]));
  for (uint64_t i = 1; at > 0; i++) words[--at] = (uint64_t)(top = push(top, text(record, i)));
  map->arg_start = (uint64_t)top;
  return top;
}

static void find_environment(const Stack *stack, MemoryMap *map) {
  map->env_start = map->env_end = map->arg_end;
  if (stack->environment_count == 0) return;
  uint64_t last = stack->environment[stack->environment_count - 1];
  map->env_start = stack->environment[0];
  map->env_end = last + length_of((char *)last) + 1;
}

/* The new stack, below the old one. */
static uint64_t *build_stack(const CordonLoadRecord *record, const Stack *old, uint64_t *words, MemoryMap *map) {
  char *top = push((char *)words - 128, text(record, 0));
  uint64_t name = (uint64_t)top;
  uint64_t count = count_of(record, old);
  uint64_t total = 1 + count + 1 + old->environment_count + 1 + old->auxiliary_words;
  /* The words' addresses go where nothing is yet: below all the texts that can be. */
  uint64_t room = 0;
  if (record->words != 0) {
    for (uint64_t i = 1; i < old->count; i++) room += length_of((char *)old->arguments[i]) + 1;
    for (uint64_t i = 1; i <= record->words; i++) room += length_of(text(record, i)) + 1;
  }
  uint64_t *fresh = (uint64_t *)(((uint64_t)top - room - total * 8) & ~15ull);
  fresh[0] = count;
  (void)push_words(record, old, top, fresh + 1, map);
  uint64_t *at = fresh + 1 + count;
  *at++ = 0;
  for (uint64_t i = 0; i <= old->environment_count; i++) *at++ = old->environment[i];
  for (uint64_t i = 0; i < old->auxiliary_words; i++) at[i] = old->auxiliary[i];
  for (uint64_t i = 0; i < old->auxiliary_words; i += 2)
    if (at[i] == AT_EXECFN) at[i + 1] = name;
  map->auxiliary = at;
  map->auxiliary_size = (uint32_t)(old->auxiliary_words * 8);
  map->start_stack = (uint64_t)fresh;
  find_environment(old, map);
  return fresh;
}

static void describe(const MemoryMap *map, const CordonElfImage *program, const CordonElfImage *interpreter) {
  for (uint64_t i = 0; i < map->auxiliary_size / 8; i += 2) {
    uint64_t *value = &map->auxiliary[i + 1];
    switch (map->auxiliary[i]) {
    case AT_PHDR: *value = program->headers; break;
    case AT_PHNUM: *value = program->header_count; break;
    case AT_BASE: *value = interpreter->bias; break;
    case AT_ENTRY: *value = program->entry; break;
    default: break;
    }
  }
}

static uint64_t random_pages(uint64_t limit) {
  uint64_t number = 0;
  long personality = cordon_agent_call(NR_personality, 0xffffffff, 0, 0, 0, 0, 0);
  if (personality & ADDR_NO_RANDOMIZE) return 0;
  cordon_agent_call(NR_getrandom, (long)&number, sizeof number, 0, 0, 0, 0);
  return number % limit * PAGE;
}

static void map_agent(long file, uint64_t base, uint64_t start, uint64_t end) {
  long at = (long)(base + start);
  cordon_agent_call(NR_mmap, at, (long)(end - start), PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file, (long)start);
}

/* Maps the agent from the file that all others have it from, so that nothing is left of the one that was executed. */
static void leave_file(uint64_t base) {
  long file = cordon_agent_ask(CORDON_QUESTION_AGENT, 0);
  if (file < 0) return;
  map_agent(file, base, 0, CORDON_AGENT_CALLS);
  if (!(cordon_agent_header.duties & CORDON_AGENT_ACCOUNTS)) map_agent(file, base, CORDON_AGENT_CALLS, CORDON_AGENT_GATE);
  map_agent(file, base, CORDON_AGENT_GATE, CORDON_AGENT_EXEMPT_END);
  cordon_agent_call(NR_close, file, 0, 0, 0, 0, 0);
  cordon_agent_call(NR_munmap, (long)(base + CORDON_AGENT_RECORD), CORDON_AGENT_RECORD_LIMIT, 0, 0, 0, 0);
}

/* What /proc says of the process: its name, arguments, where what lies, and its file where that is granted. */
static void read_path(long file, char *path, long limit) {
  char link[40];
  cordon_agent_number_text(link, sizeof link, "/proc/self/fd/", (unsigned long)file);
  long length = cordon_agent_call(NR_readlink, (long)link, (long)path, limit - 1, 0, 0, 0);
  path[length > 0 ? length : 0] = 0;
}

static void tell_kernel(MemoryMap *map, const char *name, long file, int is_nameless) {
  map->executable = (uint32_t)file;
  int is_granted = cordon_agent_call(NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)map, sizeof *map, 0, 0) == 0;
  char path[4096];
  if (is_nameless || !is_granted) read_path(file, path, sizeof path);
  if (is_nameless && path[0] != 0) name = path;
  const char *last = name;
  for (const char *at = name; *at != 0; at++)
    if (*at == '/') last = at + 1;
  cordon_agent_call(NR_prctl, PR_SET_NAME, (long)last, 0, 0, 0, 0);
  if (is_granted) return;
  map->executable = NO_FILE;
  cordon_agent_call(NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)map, sizeof *map, 0, 0);
  cordon_agent_note_own_name(path);
}

CordonStartingPoint cordon_agent_become(uint64_t *words) {
  uint64_t base = (uint64_t)&cordon_agent_header;
  const CordonLoadRecord *record = (const CordonLoadRecord *)(base + CORDON_AGENT_RECORD);
  long file = record->program, loader = record->interpreter;
  CordonElfImage program, interpreter;
  long result = cordon_agent_elf_map(file, PROGRAM_BASE + random_pages(1ull << 28), &program);
  interpreter.bias = 0;
  if (result == 0 && loader >= 0) result = cordon_agent_elf_map(loader, 0, &interpreter);
  if (result != 0) fail("the program cannot be mapped: error ", result);
  Stack old;
  MemoryMap map;
  read_stack(words, &old);
  CordonStartingPoint start;
  start.stack = (uint64_t)build_stack(record, &old, words, &map);
  start.entry = loader >= 0 ? interpreter.entry : program.entry;
  describe(&map, &program, &interpreter);
  map.start_code = program.code_start, map.end_code = program.code_end;
  map.start_data = program.data_start, map.end_data = program.data_end;
  map.start_brk = map.brk = ((program.end + PAGE - 1) & ~(PAGE - 1)) + random_pages(1ull << 13);
  if (cordon_agent_elf_runs_stack(file))
    cordon_agent_call(NR_mprotect, (long)(start.stack & ~(PAGE - 1)), (long)PAGE,
                      PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN, 0, 0, 0);
  const char *name = NULL;
  for (uint64_t i = 0; i < old.auxiliary_words; i += 2)
    if (map.auxiliary[i] == AT_EXECFN) name = (const char *)map.auxiliary[i + 1];
  int is_nameless = record->is_nameless != 0;
  leave_file(base);
  tell_kernel(&map, name != NULL ? name : "", file, is_nameless);
  cordon_agent_call(NR_close, file, 0, 0, 0, 0, 0);
  if (loader >= 0) cordon_agent_call(NR_close, loader, 0, 0, 0, 0, 0);
  return start;
}

CORDON_AGENT_END
