import Cordon
import FilterCompiler
import Glibc
import Synchronization
import SystemPackage

/// Eight threads call a region's code without pause while it changes at full rate; each answer is checked against what
/// the region was when it was given. Now and then a change attaches something, and they call that too.
enum Storm {
  private static let threads = 8
  private static let stopped = Atomic<Bool>(false)
  /// Changes made, counted before and after each: what the region is, or is becoming.
  private static let begun = Atomic<Int>(0)
  private static let done = Atomic<Int>(0)
  private static let calls = Atomic<Int>(0)
  private static let wrong = Atomic<Int>(0)
  private static let address = Atomic<UInt64>(0)
  /// What has become a region last, and stays one.
  private static let latest = Atomic<UInt64>(0)
  private static let parent = Int(getppid())

  /// The answer that holds after so many changes. Half of them are errors of a number of their own, so that an answer from
  /// before the call shows, however many changes are made while the caller waits for a processor.
  private static func answer(_ change: Int) -> Int {
    switch change % 4 {
    case 0: Overhead.answer
    case 1, 2: -Int(error(change).rawValue)
    default: parent
    }
  }

  /// After how many changes an error comes again: as many as there are numbers of errors (MAX_ERRNO), and no multiple of 4.
  private static let errors = 4093

  private static func error(_ change: Int) -> Errno { Errno(rawValue: CInt(1 + change % errors)) }

  /// - Parameter pages: how many pages of native code become regions meanwhile, evenly over the time.
  static func run(_ mechanism: Mechanism, seconds: Int, pages: UInt64) throws -> [String: Double] {
    let ground: UInt64 = 0x2000_0000_0000
    guard ScatteredChanges.place(ground, size: Int(pages) * 8192) else { throw LiveFailure("no room") }
    let session = try Overhead.session(mechanism, regions: 1)
    var region = session.regions[0]
    let range = region.range
    address.store(range.start, ordering: .relaxed)
    latest.store(range.start, ordering: .relaxed)
    let traps = session.statistics.traps
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
    let start = now()
    let length = Int64(seconds) * 1_000_000_000
    var (changes, attached) = (0, UInt64(0))
    while changes % 64 != 0 || now() < start + length {
      begun.store(changes + 1, ordering: .sequentiallyConsistent)
      switch changes % 4 {
      case 0, 1: try session.set(.error(error(changes + 1)), of: region)
      case 2: try session.remove(region)
      default: region = try session.trap(range)
      }
      changes += 1
      done.store(changes, ordering: .sequentiallyConsistent)
      if attached < pages, now() - start > length / Int64(pages + 1) * Int64(attached + 1) {
        let page = ground + attached * 8192
        try session.trap(AddressRange(start: page, end: page + 4096))
        latest.store(page, ordering: .sequentiallyConsistent)
        attached += 1
      }
    }
    stopped.store(true, ordering: .sequentiallyConsistent)
    for thread in ids { pthread_join(thread, nil) }
    let made = calls.load(ordering: .relaxed)
    return [
      "wrong": Double(wrong.load(ordering: .relaxed)), "calls": Double(made), "changes": Double(changes),
      "attached": Double(attached), "lost": Double(made) - Double(session.statistics.traps - traps),
    ]
  }

  private static func work() {
    let place = address.load(ordering: .relaxed)
    var made = 0
    while !stopped.load(ordering: .relaxed) {
      let before = done.load(ordering: .sequentiallyConsistent)
      let result = Overhead.call(place)
      let after = begun.load(ordering: .sequentiallyConsistent)
      if !(before...min(after, before + 4 * errors)).contains(where: { answer($0) == result }) {
        wrong.add(1, ordering: .relaxed)
      }
      made += 1
      let attached = latest.load(ordering: .sequentiallyConsistent)
      if attached != place {
        if Overhead.call(attached) != Overhead.answer { wrong.add(1, ordering: .relaxed) }
        made += 1
      }
    }
    calls.add(made, ordering: .relaxed)
  }
}
