/* The process itself: what the kernel gives it, and leaving its surroundings. */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096ull
#define ALIGNMENT 16ull

static uint64_t aligned(uint64_t offset) { return (offset + ALIGNMENT - 1) & ~(ALIGNMENT - 1); }

uint64_t cordon_vdso_room(uint64_t size) {
  const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
  if (image == NULL) return 0;
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
  const Elf64_Phdr *segments = (const Elf64_Phdr *)(image + header->e_phoff);
  uint64_t loaded = 0;
  for (int i = 0; i < header->e_phnum; i++) {
    uint64_t end = segments[i].p_offset + segments[i].p_filesz;
    if (segments[i].p_type == PT_LOAD && end > loaded) loaded = end;
  }
  if (loaded == 0) return 0;
  uint64_t end = (loaded + PAGE - 1) & ~(PAGE - 1);
  uint64_t sections = header->e_shoff + (uint64_t)header->e_shnum * header->e_shentsize;
  /* Behind the table of sections, which debuggers read; or over it, where that is the end. */
  if (sections > loaded && aligned(sections) + size <= end) return aligned(sections);
  return aligned(loaded) + size <= end ? aligned(loaded) : 0;
}

int cordon_is_first_thread(int32_t thread) { return syscall(SYS_tgkill, thread, thread, 0) == 0 || errno == EPERM; }

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

int32_t cordon_can_read_thread_pointers(void) { return (getauxval(AT_HWCAP2) & 2) != 0; }
