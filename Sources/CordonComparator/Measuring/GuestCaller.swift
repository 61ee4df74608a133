import Cordon

/// How one thread calls a guest. For use by that thread alone.
struct GuestCaller {
  private typealias Entry = @convention(c) () -> Int
  private let entry: Entry
  private let selector: DispatchSelector?

  /// - Parameter session: The one that traps the guest, where there is one.
  init(entry: UInt, session: Session?) {
    self.entry = unsafeBitCast(entry, to: Entry.self)
    selector = session?.selector
    selector?.state = .allow
  }

  /// Where the guest's code begins.
  var entryAddress: UInt { unsafeBitCast(entry, to: UInt.self) }

  /// Calls the guest, crossing into it and back each time as a program with this mechanism has to.
  /// - Returns: what the last call returned.
  func call(times: Int) -> Int {
    var result = 0
    guard let selector else {
      for _ in 0..<times { result = entry() }
      return result
    }
    for _ in 0..<times {
      selector.state = .block
      result = entry()
      selector.state = .allow
    }
    return result
  }
}

/// A guest as all threads of its process find it.
struct GuestEntry: Sendable {
  let address: UInt
  let session: Session?

  /// The guest as the calling thread calls it.
  func caller() -> GuestCaller { GuestCaller(entry: address, session: session) }
}
