/* A filter's listener: seccomp_unotify(2). */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

long cordon_listener_receive(int32_t listener, CordonNotification *notification) {
  /* The kernel insists on zeros, and may know a longer structure than our header does. */
  union {
    struct seccomp_notif kernel;
    char room[256];
  } received;
  memset(&received, 0, sizeof received);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &received.kernel) != 0) return -errno;
  notification->id = received.kernel.id;
  notification->thread = (int32_t)received.kernel.pid;
  notification->number = received.kernel.data.nr;
  notification->architecture = received.kernel.data.arch;
  notification->instruction_pointer = received.kernel.data.instruction_pointer;
  for (int i = 0; i < 6; i++) notification->arguments[i] = received.kernel.data.args[i];
  return 0;
}

static long answer(int32_t listener, uint64_t id, int64_t value, int32_t error, uint32_t flags) {
  union {
    struct seccomp_notif_resp kernel;
    char room[256];
  } response;
  memset(&response, 0, sizeof response);
  response.kernel.id = id;
  response.kernel.val = value;
  response.kernel.error = -error;
  response.kernel.flags = flags;
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response.kernel) == 0 ? 0 : -errno;
}

long cordon_listener_continue(int32_t listener, uint64_t id) {
  return answer(listener, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

long cordon_listener_refuse(int32_t listener, uint64_t id, int32_t error) { return answer(listener, id, 0, error, 0); }

long cordon_listener_answer(int32_t listener, uint64_t id, int64_t value) { return answer(listener, id, value, 0, 0); }

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

void cordon_listener_stay_near(int32_t listener) {
  /* Linux 6.6. */
  (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

long cordon_listener_give_one_more(int32_t listener, uint64_t id, int32_t process, int32_t descriptor) {
  struct rlimit own, higher;
  if (prlimit(process, RLIMIT_NOFILE, NULL, &own) != 0) return -errno;
  higher.rlim_cur = higher.rlim_max = own.rlim_max + 65536;
  if (prlimit(process, RLIMIT_NOFILE, &higher, NULL) != 0) {
    higher.rlim_cur = higher.rlim_max = own.rlim_max; /* without privileges */
    if (prlimit(process, RLIMIT_NOFILE, &higher, NULL) != 0) return -errno;
  }
  long result = cordon_listener_give(listener, id, descriptor);
  prlimit(process, RLIMIT_NOFILE, &own, NULL);
  return result;
}

long cordon_listener_give(int32_t listener, uint64_t id, int32_t descriptor) {
  struct seccomp_notif_addfd added;
  memset(&added, 0, sizeof added);
  added.id = id;
  added.srcfd = (uint32_t)descriptor;
  added.newfd_flags = O_CLOEXEC;
  added.flags = SECCOMP_ADDFD_FLAG_SEND; /* Linux 5.14 */
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &added) >= 0 ? 0 : -errno;
}
