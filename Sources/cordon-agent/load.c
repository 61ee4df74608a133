/* Executing a program without a tracer's help: the thread is traced already, or may not be traced by the launcher. The launcher
   gives an ELF file that holds the agent at its base; that is executed in the program's place, its kernel-made code calls
   from the exempt range from the first instruction on, and it maps the program. What execve(2) would find wrong with the
   program is found here, where the call can still fail. */
#include "agent.h"
#include "elf_files.h"

CORDON_AGENT_BEGIN

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS 0x200
#define AT_EMPTY_PATH 0x1000
#define O_NONBLOCK 04000
#define O_NOFOLLOW 0400000
#define X_OK 1
#define F_GETFD 1
#define FD_CLOEXEC 1
#define LEVELS 5 /* of scripts that are run by scripts, as in the kernel */
#define LINE 256 /* of a script that is looked at, as in the kernel */

typedef struct {
  long loader;   /* the file that the record goes to */
  uint64_t used; /* bytes of the record's strings */
  int is_traced;
  CordonLoadRecord record;
} Load;

static size_t length_of(const char *text) {
  size_t length = 0;
  while (((const volatile char *)text)[length] != 0) length++;
  return length;
}

/* Adds a text, which a zero byte ends. */
static long add(Load *load, const char *text, size_t length) {
  if (load->used + length + 1 > CORDON_AGENT_RECORD_LIMIT - sizeof load->record) return -CORDON_AGENT_E2BIG;
  long at = (long)(CORDON_LOADER_RECORD_OFFSET + sizeof load->record + load->used);
  long written = cordon_agent_call(NR_pwrite64, load->loader, (long)text, (long)length, at, 0, 0);
  load->used += length + 1;
  return written == (long)length ? 0 : written < 0 ? written : -CORDON_AGENT_E2BIG;
}

static long open_program(long folder, const char *path, long flags) {
  char link[40];
  if (flags & AT_EMPTY_PATH && *(const volatile char *)path == 0) {
    /* The descriptor itself, opened anew since it need not be one to read from. */
    cordon_agent_number_text(link, sizeof link, "/proc/self/fd/", (unsigned long)folder);
    folder = AT_FDCWD;
    path = link;
  }
  long no_link = flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
  long file = cordon_agent_call(NR_openat, folder, (long)path, O_NONBLOCK | no_link, 0, 0, 0);
  if (file < 0) return file;
  long error = cordon_agent_call(NR_faccessat2, file, (long)"", X_OK, AT_EMPTY_PATH | AT_EACCESS, 0, 0);
  if (error == -CORDON_AGENT_ENOSYS) error = 0; /* before Linux 5.8 */
  char byte;
  if (error == 0) error = cordon_agent_call(NR_pread64, file, (long)&byte, 1, 0, 0, 0);
  if (error >= 0) return file;
  cordon_agent_call(NR_close, file, 0, 0, 0, 0, 0);
  return error == -CORDON_AGENT_EISDIR || error == -CORDON_AGENT_ESPIPE || error == -CORDON_AGENT_EAGAIN ? -CORDON_AGENT_EACCES
                                                                                                      : error;
}

static int is_blank(char letter) { return letter == ' ' || letter == '\t'; }

/* `#!INTERPRETER [ARGUMENT]`: sets both to their places in the line, and ends them there. */
static long read_script(char *line, long size, char **interpreter, char **argument) {
  char *end = line;
  while (end < line + size && *end != '\n' && *end != 0) end++;
  if (end == line + LINE) return -CORDON_AGENT_ENOEXEC; /* it may be cut off */
  while (end > line + 2 && is_blank(end[-1])) end--;
  *end = 0;
  char *at = line + 2;
  while (is_blank(*at)) at++;
  if (*at == 0) return -CORDON_AGENT_ENOEXEC;
  *interpreter = at;
  while (*at != 0 && !is_blank(*at)) at++;
  if (*at != 0) *at++ = 0;
  while (is_blank(*at)) at++;
  *argument = *at != 0 ? at : NULL;
  return 0;
}

/* A script's line, and what is run for it. The words of the outermost interpreter come first, so they are kept back to front
   and turned round by the loader. */
static long follow_script(Load *load, long *file, const char *path, char *line, long size, char **next) {
  char *interpreter, *argument;
  long error = read_script(line, size, &interpreter, &argument);
  if (error != 0) return error;
  if (load->record.words == 0) {
    error = add(load, path, length_of(path));
    load->record.words = 1;
  }
  if (error == 0 && argument != NULL) {
    error = add(load, argument, length_of(argument));
    load->record.words++;
  }
  if (error == 0) error = add(load, interpreter, length_of(interpreter));
  load->record.words++;
  if (error != 0) return error;
  cordon_agent_call(NR_close, *file, 0, 0, 0, 0, 0);
  *file = open_program(AT_FDCWD, interpreter, 0);
  *next = interpreter;
  return *file < 0 ? *file : 0;
}

static long find_interpreter(Load *load) {
  char path[LINE];
  long length = cordon_agent_elf_interpreter(load->record.program, path, sizeof path);
  if (length <= 0) return length;
  long file = open_program(AT_FDCWD, path, 0);
  if (file < 0) return file;
  load->record.interpreter = (int32_t)file;
  return cordon_agent_elf_check(file);
}

static void give_up(Load *load) {
  if (load->record.program >= 0) cordon_agent_call(NR_close, load->record.program, 0, 0, 0, 0, 0);
  if (load->record.interpreter >= 0) cordon_agent_call(NR_close, load->record.interpreter, 0, 0, 0, 0, 0);
  cordon_agent_call(NR_close, load->loader, 0, 0, 0, 0, 0);
}

static long append_path(char *name, size_t limit, const char *path) {
  size_t at = length_of(name), length = length_of(path);
  if (length == 0) return 0;
  if (at + 1 + length >= limit) return -CORDON_AGENT_ENAMETOOLONG;
  name[at++] = '/';
  for (size_t i = 0; i <= length; i++) ((volatile char *)name)[at + i] = path[i];
  return 0;
}

static long prepare(Load *load, long folder, const char *path, long flags) {
  long file = open_program(folder, flags & CORDON_AGENT_ITSELF ? cordon_agent_own_name() : path, flags);
  if (file < 0) return file;
  long error = 0;
  char name[LINE];
  int closes = 0; /* with the program: a script's interpreter would not find it then */
  if (folder != AT_FDCWD && *path != '/') {
    closes = cordon_agent_call(NR_fcntl, folder, F_GETFD, 0, 0, 0, 0) == FD_CLOEXEC;
    load->record.is_nameless = *path == 0;
    cordon_agent_number_text(name, sizeof name, "/dev/fd/", (unsigned long)folder);
    error = append_path(name, sizeof name, path);
    path = name;
  }
  if (error == 0) error = add(load, path, length_of(path)); /* AT_EXECFN */
  const char *called = path;
  char lines[2][LINE + 1]; /* a name in one of them is in use while the other is read */
  for (int level = 0; error == 0; level++) {
    char *line = lines[level & 1], *next;
    long size = cordon_agent_call(NR_pread64, file, (long)line, LINE, 0, 0, 0);
    if (size < 0) error = size;
    else if (size < 2 || line[0] != '#' || line[1] != '!') break;
    else if (level == LEVELS) error = -CORDON_AGENT_ELOOP;
    else if (closes) error = -CORDON_AGENT_ENOENT;
    else {
      line[size] = 0;
      error = follow_script(load, &file, called, line, size, &next);
      called = next;
    }
  }
  load->record.program = (int32_t)file;
  if (error == 0) error = cordon_agent_elf_check(file);
  if (error == 0) error = find_interpreter(load);
  return error;
}

long cordon_agent_load(long loader, long folder, long path, long arguments, long environment, long flags) {
  Load load;
  load.loader = loader;
  load.used = 0;
  load.record.program = load.record.interpreter = -1;
  load.record.words = 0;
  load.record.is_nameless = 0;
  long known = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | CORDON_AGENT_TRACED | CORDON_AGENT_ITSELF;
  long error = flags & ~known ? -CORDON_AGENT_EINVAL : prepare(&load, folder, (const char *)path, flags);
  if (error == 0)
    error = cordon_agent_call(NR_pwrite64, loader, (long)&load.record, sizeof load.record, CORDON_LOADER_RECORD_OFFSET, 0, 0);
  load.is_traced = error >= 0 && flags & CORDON_AGENT_TRACED;
  if (load.is_traced) cordon_agent_trace_begin();
  if (error >= 0)
    error = cordon_agent_call(NR_execveat, loader, (long)"", arguments, environment, AT_EMPTY_PATH, CORDON_AGENT_LOADS);
  give_up(&load);
  /* Traced now, in its parent's memory: the next trap would stop it for a tracer that waits for it. */
  if (load.is_traced && cordon_borrows_memory()) cordon_agent_call(NR_exit_group, 127, 0, 0, 0, 0, 0);
  return error;
}

CORDON_AGENT_END
