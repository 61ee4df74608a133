import Cordon
import Glibc
import Synchronization
import SystemPackage

/// Eight threads call a region's code without pause while it changes at full rate; each answer is checked against what
/// the region was when it was given.
enum Storm {
  private static let threads = 8
  private static let stopped = Atomic<Bool>(false)
  /// Changes made, counted before and after each: what the region is, or is becoming.
  private static let begun = Atomic<Int>(0)
  private static let done = Atomic<Int>(0)
  private static let calls = Atomic<Int>(0)
  private static let wrong = Atomic<Int>(0)
  private static let address = Atomic<UInt64>(0)

  /// The answers that hold after so many changes, in turn.
  private static func answer(_ change: Int) -> Int {
    switch change % 3 {
    case 0: Overhead.answer
    case 1: -Int(EPERM)
    default: Int(getppid())
    }
  }

  static func run(seconds: Int) throws -> [String: Double] {
    let session = try Overhead.session(.seccomp, regions: 1)
    var region = session.regions[0]
    let range = region.range
    address.store(range.start, ordering: .relaxed)
    var ids: [pthread_t] = []
    for _ in 0..<threads {
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { _ in
          Storm.work()
          return nil
        }, nil)
      ids.append(thread)
    }
    let end = now() + Int64(seconds) * 1_000_000_000
    var changes = 0
    while changes % 64 != 0 || now() < end {
      begun.store(changes + 1, ordering: .sequentiallyConsistent)
      switch changes % 3 {
      case 0: try session.set(.error(.notPermitted), of: region)
      case 1: try session.remove(region)
      default: region = try session.trap(range)
      }
      changes += 1
      done.store(changes, ordering: .sequentiallyConsistent)
    }
    stopped.store(true, ordering: .sequentiallyConsistent)
    for thread in ids { pthread_join(thread, nil) }
    return [
      "wrong": Double(wrong.load(ordering: .relaxed)), "calls": Double(calls.load(ordering: .relaxed)),
      "changes": Double(changes),
    ]
  }

  private static func work() {
    let place = address.load(ordering: .relaxed)
    var made = 0
    while !stopped.load(ordering: .relaxed) {
      let before = done.load(ordering: .sequentiallyConsistent)
      let result = Overhead.call(place)
      let after = begun.load(ordering: .sequentiallyConsistent)
      if !(before...min(after, before + 2)).contains(where: { answer($0) == result }) {
        wrong.add(1, ordering: .relaxed)
      }
      made += 1
    }
    calls.add(made, ordering: .relaxed)
  }
}
