/* Prints the functions that a program runs through, in the order in which it first comes to them, a name a line: what a linker
   wants to know to put them next to each other (`make order`). `link-order COMMAND ARGUMENT...` runs the command instruction by
   instruction (ptrace(2)), without what it starts. The command is an ELF file that lies where it was linked for. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  uint64_t address;
  const char *name;
  int is_printed;
} Function;

#define FARTHEST (1u << 20)

static Function *functions;
static size_t function_count;

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(1);
}

static int by_address(const void *a, const void *b) {
  uint64_t first = ((const Function *)a)->address, second = ((const Function *)b)->address;
  return first < second ? -1 : first > second;
}

static int is_code(const Elf64_Sym *symbol) {
  unsigned kind = ELF64_ST_TYPE(symbol->st_info);
  /* Assembly functions have no type now and then. */
  return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < SHN_LORESERVE &&
         (kind == STT_FUNC || kind == STT_GNU_IFUNC || kind == STT_NOTYPE);
}

static void read_functions(const char *path) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0) fail(path);
  const uint8_t *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (file == MAP_FAILED) fail(path);
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
  for (unsigned i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const Elf64_Sym *symbols = (const Elf64_Sym *)(file + sections[i].sh_offset);
    const char *names = (const char *)file + sections[sections[i].sh_link].sh_offset;
    size_t count = sections[i].sh_size / sizeof *symbols;
    functions = calloc(count, sizeof *functions);
    if (functions == NULL) fail(path);
    for (size_t j = 0; j < count; j++)
      if (is_code(&symbols[j]) && names[symbols[j].st_name] != 0)
        functions[function_count++] = (Function){symbols[j].st_value, names + symbols[j].st_name, 0};
  }
  qsort(functions, function_count, sizeof *functions, by_address);
}

/* One name is enough where several stand for the same code. */
static void pass(uint64_t address) {
  size_t low = 0, high = function_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (functions[middle].address <= address) low = middle + 1;
    else high = middle;
  }
  /* What lies far from all of them is the kernel's code, or comes from elsewhere. */
  if (low == 0 || address - functions[low - 1].address > FARTHEST || functions[low - 1].is_printed) return;
  functions[low - 1].is_printed = 1;
  puts(functions[low - 1].name);
}

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: link-order COMMAND ARGUMENT...\n");
    return 64;
  }
  read_functions(arguments[1]);
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(arguments[1], arguments + 1);
    fail(arguments[1]);
  }
  int status;
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0) fail("ptrace");
    pass(registers.rip);
    long signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, (void *)signal) != 0) fail("ptrace");
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
