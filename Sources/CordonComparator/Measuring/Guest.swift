import Cordon

/// The code whose calls are measured, ready to be called, and whatever traps it.
package struct Guest: ~Copyable {
  /// `mov eax, 110 (getppid); syscall; ret`, and where a redirected call goes on, `movabs rax, value; ret`.
  package static let getppid: [UInt8] =
    [0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3]
    + [0x48, 0xb8] + withUnsafeBytes(of: UInt64(GuestAnswer.returned).littleEndian) { Array($0) } + [0xc3]
  /// Where in it the `syscall` instruction lies.
  static let instruction = 5
  /// Where in it a redirected call goes on.
  static let detour = 8

  private typealias Entry = @convention(c) () -> Int
  private let entry: Entry
  private let selector: DispatchSelector?
  private let session: Session?
  private let mapping: CodeMapping?
  private let supervision: Supervision?

  init(session: Session, region: Region) {
    entry = unsafeBitCast(UInt(region.range.start), to: Entry.self)
    selector = session.selector
    self.session = session
    mapping = nil
    supervision = nil
  }

  init(mapping: consuming CodeMapping) {
    entry = unsafeBitCast(mapping.address, to: Entry.self)
    selector = nil
    session = nil
    self.mapping = consume mapping
    supervision = nil
  }

  init(mapping: consuming CodeMapping, supervision: consuming Supervision) {
    entry = unsafeBitCast(mapping.address, to: Entry.self)
    selector = nil
    session = nil
    self.mapping = consume mapping
    self.supervision = consume supervision
  }

  /// Where its code begins.
  var entryAddress: UInt { unsafeBitCast(entry, to: UInt.self) }

  /// What the session or the supervisor has counted; nil where nobody counts, since nothing is trapped.
  package var counts: ExpectedTraps.Counts? {
    if let session { return ExpectedTraps.Counts(session.statistics) }
    switch supervision {
    case .none: return nil
    case .some(let supervision): return supervision.counts
    }
  }

  /// Calls the guest, crossing into it and back each time as a program with this mechanism has to.
  /// - Returns: what the last call returned.
  package borrowing func call(times: Int) -> Int {
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
