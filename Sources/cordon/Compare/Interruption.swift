import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP during a long command: noticed at the next good moment, so that nothing is left behind.
enum Interruption {
  private static let received = Atomic<Int32>(0)

  /// The signal that arrived; nil if none did.
  static var signal: Int32? {
    let signal = received.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }

  /// From now on these signals are noted instead of ending the process. A second one ends it at once.
  static func watch() {
    // Touched once, so that the handler finds it initialized.
    received.store(0, ordering: .relaxed)
    for signal in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      // Ignored before (nohup, a shell's background job): stays so.
      guard sigaction(signal, nil, &action) == 0, action.ignores == false else { continue }
      action = sigaction()
      action.__sigaction_handler.sa_handler = { Interruption.received.store($0, ordering: .relaxed) }
      action.sa_flags = SA_RESTART | Int32(bitPattern: SA_RESETHAND)
      sigaction(signal, &action, nil)
    }
  }

  /// Ends the process by the signal that arrived, as it would have ended without ``watch()``.
  static func end() -> Never {
    let signal = self.signal ?? SIGINT
    Glibc.signal(signal, SIG_DFL)
    // The threads that tasks run on block signals.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, signal)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(signal)
    exit(128 + signal)
  }
}

extension sigaction {
  fileprivate var ignores: Bool {
    unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
