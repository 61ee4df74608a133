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

  private let caller: GuestCaller
  private let session: Session?
  private let mapping: CodeMapping?
  private let supervision: Supervision?

  init(session: Session, region: Region) {
    caller = GuestCaller(entry: UInt(region.range.start), session: session)
    self.session = session
    mapping = nil
    supervision = nil
  }

  init(mapping: consuming CodeMapping) {
    caller = GuestCaller(entry: mapping.address, session: nil)
    session = nil
    self.mapping = consume mapping
    supervision = nil
  }

  init(mapping: consuming CodeMapping, supervision: consuming Supervision) {
    caller = GuestCaller(entry: mapping.address, session: nil)
    session = nil
    self.mapping = consume mapping
    self.supervision = consume supervision
  }

  /// Where its code begins.
  var entryAddress: UInt { caller.entryAddress }

  /// The guest as another thread finds it, which is valid as long as the guest is.
  var entry: GuestEntry { GuestEntry(address: entryAddress, session: session) }

  /// The regions that its session has; nil where there is none.
  var liveRegions: SessionRegions? { session.map(SessionRegions.init) }

  /// What the session or the supervisor has counted; nil where nobody counts, since nothing is trapped.
  package var counts: ExpectedTraps.Counts? {
    if let session { return ExpectedTraps.Counts(session.statistics) }
    switch supervision {
    case .none: return nil
    case .some(let supervision): return supervision.counts
    }
  }

  /// Calls the guest from the thread that entered it; see ``GuestCaller/call(times:)``.
  package borrowing func call(times: Int) -> Int { caller.call(times: times) }
}
