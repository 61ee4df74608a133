import Glibc

/// The first thing in every exit test: a hang ends with SIGALRM, and no signal is blocked (the test runs on a thread of
/// libdispatch's, which blocks most of them).
func begin(seconds: UInt32 = 60) {
  alarm(seconds)
  var mask = sigset_t()
  sigemptyset(&mask)
  pthread_sigmask(SIG_SETMASK, &mask, nil)
}
