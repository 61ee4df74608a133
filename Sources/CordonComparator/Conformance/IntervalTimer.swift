import Glibc
import Synchronization

/// SIGALRM again and again, and how often it arrived. One for the process.
enum IntervalTimer {
  private static let count = Atomic<Int>(0)

  static var expirations: Int { count.load(ordering: .relaxed) }

  /// - Parameter period: in nanoseconds.
  static func start(every period: Int64) {
    // Touched once, so that the handler finds it initialized.
    count.store(0, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in IntervalTimer.count.wrappingAdd(1, ordering: .relaxed) }
    action.sa_flags = SA_RESTART
    sigaction(SIGALRM, &action, nil)
    set(microseconds: Int(period / 1_000))
  }

  static func stop() { set(microseconds: 0) }

  private static func set(microseconds: Int) {
    let interval = timeval(tv_sec: microseconds / 1_000_000, tv_usec: microseconds % 1_000_000)
    var timer = itimerval(it_interval: interval, it_value: interval)
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }
}
