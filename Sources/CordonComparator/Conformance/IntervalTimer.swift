import Glibc
import Synchronization

/// SIGALRM every millisecond, and how often it arrived. One for the process.
enum IntervalTimer {
  private static let count = Atomic<Int>(0)

  static var expirations: Int { count.load(ordering: .relaxed) }

  static func start() {
    // Touched once, so that the handler finds it initialized.
    count.store(0, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in IntervalTimer.count.wrappingAdd(1, ordering: .relaxed) }
    action.sa_flags = SA_RESTART
    sigaction(SIGALRM, &action, nil)
    set(microseconds: 1_000)
  }

  static func stop() { set(microseconds: 0) }

  private static func set(microseconds: Int) {
    let interval = timeval(tv_sec: 0, tv_usec: microseconds)
    var timer = itimerval(it_interval: interval, it_value: interval)
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }
}
