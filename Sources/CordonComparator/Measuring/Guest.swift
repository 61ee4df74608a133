package import Cordon

/// The code whose calls are measured, ready to be called, and whatever traps it.
package struct Guest: ~Copyable {
  /// `mov eax, 110 (getppid); syscall; ret`
  package static let getppid: [UInt8] = [0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3]

  private typealias Entry = @convention(c) () -> Int
  private let entry: Entry
  private let selector: DispatchSelector?
  private let session: Session?
  private let mapping: CodeMapping?

  init(session: Session, region: Region) {
    entry = unsafeBitCast(UInt(region.range.start), to: Entry.self)
    selector = session.selector
    self.session = session
    mapping = nil
  }

  init(mapping: consuming CodeMapping) {
    entry = unsafeBitCast(mapping.address, to: Entry.self)
    selector = nil
    session = nil
    self.mapping = consume mapping
  }

  /// What the session has counted; nil where there is none.
  package var statistics: Session.Statistics? { session?.statistics }

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
