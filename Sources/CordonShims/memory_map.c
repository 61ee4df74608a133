/* The executable mappings of this process, asked for one by one. /proc/self/maps as text takes many times as long. */
#define _GNU_SOURCE
#include "CordonShims.h"
#include "TrapEngine.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stddef.h>
#include <sys/auxv.h>

/* struct procmap_query of linux/fs.h, which the C library's headers may be too old to have. */
typedef struct {
  uint64_t size, query_flags, query_address;
  uint64_t start, end, flags, page_size, offset, inode;
  uint32_t device_major, device_minor, name_size, build_id_size;
  uint64_t name_address, build_id_address;
} Query;

enum { nr_close = 3, nr_ioctl = 16, nr_openat = 257 };
#define PROCMAP_QUERY 0xc0686611u
#define EXECUTABLE 0x04u
#define COVERING_OR_NEXT 0x10u

_Static_assert(sizeof(Query) == 0x68, "PROCMAP_QUERY says how long it is");

long cordon_executable_mappings(uint64_t start, uint64_t end, CordonMapping *mappings, long capacity) {
  long file = cordon_gate_call(nr_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (file < 0) return file;
  long count = 0, result = 0;
  uint64_t next = start;
  while (count < capacity && next < end) {
    Query query = {.size = sizeof query, .query_flags = EXECUTABLE | COVERING_OR_NEXT, .query_address = next};
    result = cordon_gate_call(nr_ioctl, file, PROCMAP_QUERY, (long)&query, 0, 0, 0);
    if (result < 0 || query.start >= end) break;
    mappings[count].start = query.start;
    mappings[count].end = query.end;
    mappings[count].inode = query.inode;
    count++;
    next = query.end;
  }
  cordon_gate_call(nr_close, file, 0, 0, 0, 0, 0);
  return result < 0 && result != -ENOENT ? result : count;
}

uint64_t cordon_linker_base(void) { return getauxval(AT_BASE); }

static int find_libc(struct dl_phdr_info *object, size_t size, void *found) {
  (void)size;
  uint64_t address = (uint64_t)gnu_get_libc_version;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    uint64_t start = object->dlpi_addr + segment->p_vaddr;
    if (segment->p_type != PT_LOAD || address < start || address >= start + segment->p_memsz) continue;
    *(CordonMapping *)found = (CordonMapping){start, start + segment->p_memsz};
    return 1;
  }
  return 0;
}

CordonMapping cordon_libc_code(void) {
  CordonMapping found = {0, 0};
  dl_iterate_phdr(find_libc, &found);
  return found;
}
