/// A program written to the interface of the memory-map RFC of 2020: it marks memory by raw calls with PROT_NOSYSCALL, has
/// the marks count by seccomp(2) or prctl(2), and answers calls from there in a SIGSYS handler of its own. It knows nothing
/// of Cordon.
#ifndef GUEST_MEMORY_MAP_H
#define GUEST_MEMORY_MAP_H

#include <stdint.h>

/// How the program comes by memory that is marked.
typedef enum __attribute__((enum_extensibility(closed))) GuestMemory : uint32_t {
  /// Where the kernel puts it, marked from birth.
  GuestMemoryPlaced,
  /// At an address of its own choice, marked from birth.
  GuestMemoryChosen,
  /// Where the kernel puts it, written first, and made executable and marked then.
  GuestMemoryUnpacked,
} GuestMemory;

/// Each part of the program: 0, or the line of the source at which something was not as the RFC has it.
int32_t guest_map_before_marks_count(GuestMemory memory);
int32_t guest_map_switch_on(int32_t by_prctl);
int32_t guest_map_parts(GuestMemory memory);
int32_t guest_map_moves(GuestMemory memory);
int32_t guest_map_copies(GuestMemory memory);
int32_t guest_map_lost_target(void);
int32_t guest_map_bad_calls(GuestMemory memory);
int32_t guest_map_forks(GuestMemory memory);
/// System V shared memory over marked memory, marked itself, and detached.
int32_t guest_map_segments(GuestMemory memory);
/// Pages of a file that come to show others of its pages.
int32_t guest_map_file_pages(GuestMemory memory);
/// Marked memory below the break, which goes down and up again.
int32_t guest_map_break(void);
/// Marks, calls, unmarks and unmaps in turn; safe to be run by several threads at once.
int32_t guest_map_round(GuestMemory memory);
/// Installs the program's SIGSYS handler.
int32_t guest_map_handle(void);

/// From now on malloc maps each block by itself that it has no memory for, and free unmaps it.
void guest_map_allocations(void);

#endif
