/* The process itself: the code that the kernel gives it, and leaving its surroundings. */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

uint64_t cordon_vdso_call(void) {
  const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
  if (image == NULL) return 0;
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
  const Elf64_Phdr *segments = (const Elf64_Phdr *)(image + header->e_phoff);
  for (int i = 0; i < header->e_phnum; i++) {
    if (segments[i].p_type != PT_LOAD) continue;
    for (uint64_t at = segments[i].p_offset; at + 1 < segments[i].p_offset + segments[i].p_filesz; at++) {
      if (image[at] == 0x0f && image[at + 1] == 0x05) return at;
    }
  }
  return 0;
}

long cordon_background(void) {
  pid_t child = fork();
  if (child != 0) return child < 0 ? -errno : 0;
  setsid();
  if (chdir("/") != 0) return 1; /* it goes on where it is */
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int descriptor = 0; descriptor < 3; descriptor++) {
    if (nothing >= 0) dup2(nothing, descriptor);
    else close(descriptor);
  }
  return 1;
}
