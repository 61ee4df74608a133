/* What /proc says of a thread of this process (proc_pid_stat(5), proc_pid_status(5), proc_pid_syscall(5)). Read from the
   gate and without memory of its own: other threads may stand still meanwhile. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define AT_FDCWD (-100)
#define O_CLOEXEC 02000000

/* PF_… of linux/sched.h: a thread on its way out, and workers of io_uring and vhost, which never run code of the program. */
#define PF_EXITING 0x4u
#define PF_IO_WORKER 0x10u
#define PF_USER_WORKER 0x4000u

static uint64_t append(char *to, uint64_t length, const char *text) {
  for (; *text != 0; text++) to[length++] = *text;
  return length;
}

static uint64_t append_number(char *to, uint64_t length, uint32_t number) {
  char digits[10];
  uint64_t count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) to[length++] = digits[--count];
  return length;
}

/* Reads /proc/self/task/THREAD/NAME, as far as it fits; 0 where it cannot be read. */
static uint64_t read_file(int32_t thread, const char *name, char *text, uint64_t size) {
  char path[48];
  uint64_t length = append(path, 0, "/proc/self/task/");
  length = append_number(path, length, (uint32_t)thread);
  length = append(path, length, name);
  path[length] = 0;
  long file = cordon_engine.call(CORDON_NR_openat, AT_FDCWD, (long)path, O_CLOEXEC, 0, 0, 0);
  if (file < 0) return 0;
  long count = cordon_engine.call(CORDON_NR_read, file, (long)text, (long)size - 1, 0, 0, 0);
  cordon_engine.call(CORDON_NR_close, file, 0, 0, 0, 0, 0);
  if (count < 0) return 0;
  text[count] = 0;
  return (uint64_t)count;
}

static uint64_t decimal(const char *text) {
  uint64_t value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (uint64_t)(*text - '0');
  return value;
}

/* The mask behind a name that begins a line of a status file; 0 where there is none. */
static uint64_t mask_in(const char *text, const char *name) {
  for (; *text != 0; text++) {
    uint64_t length = 0;
    while (name[length] != 0 && text[length] == name[length]) length++;
    if (name[length] != 0) continue;
    uint64_t value = 0;
    for (text += length; *text != '\n' && *text != 0; text++) {
      if (*text >= '0' && *text <= '9') value = value << 4 | (uint64_t)(*text - '0');
      if (*text >= 'a' && *text <= 'f') value = value << 4 | (uint64_t)(*text - 'a' + 10);
    }
    return value;
  }
  return 0;
}

static int makes_child(uint64_t number) {
  return number == CORDON_NR_clone || number == CORDON_NR_fork || number == CORDON_NR_vfork || number == CORDON_NR_clone3;
}

long cordon_look_at_thread(int32_t thread, CordonThreadLook *look) {
  char text[2048];
  cordon_clear_words(look, sizeof *look);
  /* Before the masks: what it waits in, and has been asked, and leaves open at that moment, it has had open all along. */
  int is_in_call = read_file(thread, "/syscall", text, sizeof text) > 0 && text[0] >= '0' && text[0] <= '9';
  look->makes_child = is_in_call && makes_child(decimal(text));
  if (read_file(thread, "/status", text, sizeof text) == 0) return -CORDON_ESRCH;
  look->pending = mask_in(text, "\nSigPnd:");
  look->blocked = mask_in(text, "\nSigBlk:");
  uint64_t length = read_file(thread, "/stat", text, sizeof text);
  if (length == 0) return -CORDON_ESRCH;
  /* The name stands in parentheses, and may have some itself. */
  while (length > 0 && text[length] != ')') length--;
  const char *field = text + length + 2;
  look->is_runnable = *field == 'R';
  look->is_asleep = *field == 'S' || *field == 'T' || *field == 't';
  look->runs_no_code = *field == 'Z' || *field == 'X';
  for (int spaces = 0; spaces < 6 && *field != 0; field++) spaces += *field == ' ';
  look->runs_no_code |= (decimal(field) & (PF_EXITING | PF_IO_WORKER | PF_USER_WORKER)) != 0;
  return 0;
}

CordonSigsysState cordon_thread_blocks_sigsys(int32_t thread) {
  CordonThreadLook look;
  if (cordon_look_at_thread(thread, &look) != 0 || look.runs_no_code || !(look.blocked & CORDON_SIGSYS_BIT))
    return CordonSigsysOpen;
  return look.is_asleep ? CordonSigsysBlockedAsleep : CordonSigsysBlocked;
}

CORDON_SIGNAL_PATH_END
