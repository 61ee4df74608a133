import Cordon
import FilterCompiler
import Testing

/// Pages of native code above the session's own block, with a call on each. Whichever becomes a region needs something
/// attached: an exact filter, or a dispatched range that is longer.
struct HighPages {
  let ground: Ground
  let count: UInt64

  init(_ count: UInt64) throws {
    ground = try #require(Ground(at: 0x2000_0000_0000, size: count * 0x2000))
    self.count = count
    for page in 0..<count {
      ground.place(at: start(page))
      ground.place(at: neighbour(page))
    }
  }

  /// The call on a page.
  func start(_ page: UInt64) -> UInt64 { ground.start + page * 0x2000 }
  /// One beside it, which stays native.
  func neighbour(_ page: UInt64) -> UInt64 { start(page) + 0x1000 }

  /// Makes pages regions until the next filter is the one that traps everything; the page to do it with.
  func trapAllButLast(in session: Session) throws -> AddressRange {
    var page: UInt64 = 0
    while session.statistics.filters < 24 {
      try trap(page, in: session)
      page += 1
    }
    return try AddressRange(start: start(page), end: start(page) + 0x1000)
  }

  /// Makes a page a region.
  @discardableResult
  func trap(_ page: UInt64, in session: Session) throws -> Region {
    let range = try AddressRange(start: start(page), end: start(page) + 0x1000)
    return try told { () throws(SessionError) in try session.trap(range) }
  }
}
