/* ELF files: elf(5), and the kernel's load_elf_binary. */
#include "elf_files.h"

CORDON_AGENT_BEGIN

#define PAGE 4096ull
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FIXED_NOREPLACE 0x100000

#define ELF_MAGIC 0x464c457fu
#define CLASS_64 2
#define EXECUTABLE 2
#define SHARED 3
#define X86_64 62
#define LOADED 1
#define INTERPRETER 3
#define STACK 0x6474e551u

typedef struct {
  uint32_t magic;
  uint8_t class, rest[11];
  uint16_t type, machine;
  uint32_t version;
  uint64_t entry, segments_at, sections_at;
  uint32_t flags;
  uint16_t size, segment_size, segment_count, section_size, section_count, names;
} Header;

typedef struct {
  uint32_t type, flags;
  uint64_t offset, address, physical, file_size, memory_size, alignment;
} Segment;

_Static_assert(sizeof(Header) == 64 && sizeof(Segment) == 56, "elf(5)");

static int read_at(long file, uint64_t offset, void *to, uint64_t size) {
  return cordon_agent_call(NR_pread64, file, (long)to, (long)size, (long)offset, 0, 0) == (long)size;
}

static int read_header(long file, Header *header) {
  return read_at(file, 0, header, sizeof *header) && header->magic == ELF_MAGIC && header->class == CLASS_64 &&
         header->machine == X86_64 && (header->type == EXECUTABLE || header->type == SHARED) &&
         header->segment_size == sizeof(Segment) && header->segment_count > 0;
}

static int read_segment(long file, const Header *header, uint32_t index, Segment *segment) {
  return read_at(file, header->segments_at + index * sizeof *segment, segment, sizeof *segment);
}

long cordon_agent_elf_check(long file) {
  Header header;
  Segment segment;
  if (!read_header(file, &header)) return -CORDON_AGENT_ENOEXEC;
  for (uint32_t i = 0; i < header.segment_count; i++) {
    if (!read_segment(file, &header, i, &segment)) return -CORDON_AGENT_ENOEXEC;
    if (segment.type == LOADED && (segment.file_size > segment.memory_size || (segment.offset ^ segment.address) % PAGE != 0))
      return -CORDON_AGENT_ENOEXEC;
  }
  return 0;
}

long cordon_agent_elf_interpreter(long file, char *path, uint64_t limit) {
  Header header;
  Segment segment;
  if (!read_header(file, &header)) return -CORDON_AGENT_ENOEXEC;
  for (uint32_t i = 0; i < header.segment_count; i++) {
    if (!read_segment(file, &header, i, &segment) || segment.type != INTERPRETER) continue;
    if (segment.file_size < 2 || segment.file_size > limit || !read_at(file, segment.offset, path, segment.file_size) ||
        path[segment.file_size - 1] != 0)
      return -CORDON_AGENT_ENOEXEC;
    return (long)segment.file_size - 1;
  }
  return 0;
}

int cordon_agent_elf_runs_stack(long file) {
  Header header;
  Segment segment;
  if (!read_header(file, &header)) return 0;
  for (uint32_t i = 0; i < header.segment_count; i++)
    if (read_segment(file, &header, i, &segment) && segment.type == STACK) return (segment.flags & 1) != 0;
  return 0;
}

static long map(uint64_t at, uint64_t size, long protection, long flags, long file, uint64_t offset) {
  return cordon_agent_call(NR_mmap, (long)at, (long)size, protection, flags, file, (long)offset);
}

static int is_error(long result) { return result < 0 && result > -4096; }

/* Room for a position-independent file, of which the first byte lies at `low`. */
static long reserve(uint64_t wish, uint64_t low, uint64_t high, uint64_t alignment) {
  uint64_t span = high - low;
  long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (wish != 0) {
    wish &= ~(alignment - 1);
    long at = map(wish + low % alignment, span, 0, flags | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == (long)(wish + low % alignment)) return at;
    if (!is_error(at)) cordon_agent_call(NR_munmap, at, (long)span, 0, 0, 0, 0);
  }
  long at = map(0, span + alignment, 0, flags, -1, 0);
  if (is_error(at)) return at;
  uint64_t start = (((uint64_t)at - low % alignment + alignment - 1) & ~(alignment - 1)) + low % alignment;
  uint64_t before = start - (uint64_t)at, after = alignment - before;
  if (before != 0) cordon_agent_call(NR_munmap, at, (long)before, 0, 0, 0, 0);
  if (after != 0) cordon_agent_call(NR_munmap, (long)(start + span), (long)after, 0, 0, 0, 0);
  return (long)start;
}

/* One segment: what is in the file, and zeros behind it. */
static long map_segment(long file, const Segment *segment, uint64_t bias, long fixed) {
  uint64_t start = bias + segment->address, page = start & ~(PAGE - 1);
  uint64_t file_end = start + segment->file_size, end = (start + segment->memory_size + PAGE - 1) & ~(PAGE - 1);
  long protection = (segment->flags & 4 ? PROT_READ : 0) | (segment->flags & 2 ? PROT_WRITE : 0) |
                    (segment->flags & 1 ? PROT_EXEC : 0);
  uint64_t filled = page;
  if (segment->file_size != 0) {
    filled = (file_end + PAGE - 1) & ~(PAGE - 1);
    long at = map(page, filled - page, protection, MAP_PRIVATE | fixed, file, segment->offset - (start - page));
    if (at != (long)page) return is_error(at) ? at : -CORDON_AGENT_EEXIST;
    if (segment->memory_size > segment->file_size && protection & PROT_WRITE)
      for (uint64_t byte = file_end; byte < filled; byte++) *(volatile uint8_t *)byte = 0;
  }
  if (end > filled) {
    long at = map(filled, end - filled, protection, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
    if (at != (long)filled) return is_error(at) ? at : -CORDON_AGENT_EEXIST;
  }
  return 0;
}

static void note(CordonElfImage *image, const Segment *segment, const Header *header) {
  uint64_t start = image->bias + segment->address, file_end = start + segment->file_size;
  if (segment->offset <= header->segments_at && header->segments_at - segment->offset < segment->file_size)
    image->headers = start + header->segments_at - segment->offset;
  if (segment->flags & 1) {
    if (start < image->code_start) image->code_start = start;
    if (file_end > image->code_end) image->code_end = file_end;
  }
  if (start > image->data_start) image->data_start = start;
  if (file_end > image->data_end) image->data_end = file_end;
  if (start + segment->memory_size > image->end) image->end = start + segment->memory_size;
}

long cordon_agent_elf_map(long file, uint64_t wish, CordonElfImage *image) {
  Header header;
  Segment segment;
  if (!read_header(file, &header)) return -CORDON_AGENT_ENOEXEC;
  uint64_t low = UINT64_MAX, high = 0, alignment = PAGE;
  for (uint32_t i = 0; i < header.segment_count; i++) {
    if (!read_segment(file, &header, i, &segment) || segment.type != LOADED) continue;
    uint64_t start = segment.address & ~(PAGE - 1), end = (segment.address + segment.memory_size + PAGE - 1) & ~(PAGE - 1);
    if (start < low) low = start;
    if (end > high) high = end;
    if (segment.alignment > alignment && (segment.alignment & (segment.alignment - 1)) == 0) alignment = segment.alignment;
  }
  if (low >= high) return -CORDON_AGENT_ENOEXEC;
  for (uint32_t word = 0; word < sizeof *image / 8; word++) ((volatile uint64_t *)image)[word] = 0;
  image->code_start = UINT64_MAX;
  long fixed = MAP_FIXED_NOREPLACE;
  if (header.type == SHARED) {
    long at = reserve(wish, low, high, alignment);
    if (is_error(at)) return at;
    image->bias = (uint64_t)at - low;
    fixed = MAP_FIXED;
  }
  for (uint32_t i = 0; i < header.segment_count; i++) {
    if (!read_segment(file, &header, i, &segment) || segment.type != LOADED) continue;
    long result = map_segment(file, &segment, image->bias, fixed);
    if (result != 0) return result;
    note(image, &segment, &header);
  }
  image->entry = image->bias + header.entry;
  image->header_count = header.segment_count;
  return 0;
}

CORDON_AGENT_END
