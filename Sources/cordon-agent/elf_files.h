/* elf_files.c: the ELF files of programs, read and mapped as execve(2) does it. */
#ifndef CORDON_ELF_FILES_H
#define CORDON_ELF_FILES_H

#include "agent.h"

/* A file that has been mapped: addresses. */
typedef struct CordonElfImage {
  uint64_t entry, headers, bias;
  uint64_t header_count;
  uint64_t code_start, code_end, data_start, data_end, end;
} CordonElfImage;

/* 0 where it is a program of this machine's kind, or what execve(2) says of it: -ENOEXEC. */
CORDON_HIDDEN long cordon_agent_elf_check(long file);
/* The path of the program that is to run it, its loader: its length, 0 where there is none, or -errno. */
CORDON_HIDDEN long cordon_agent_elf_interpreter(long file, char *path, uint64_t limit);
/* Maps it where it says, or anywhere where it does not care: at `wish` if that is not 0 and there is room. 0 or -errno. */
CORDON_HIDDEN long cordon_agent_elf_map(long file, uint64_t wish, CordonElfImage *image);
/* Whether it wants to execute code on its stack. */
CORDON_HIDDEN int cordon_agent_elf_runs_stack(long file);

#endif
