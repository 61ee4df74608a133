import Cordon
import Glibc

/// What a session adds to an untrapped getppid.
enum Overhead {
  /// `mov eax, 110 (getppid); syscall; ret`
  static let code: [UInt8] = [0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3]
  static let answer = 0x2a_0000_0000

  /// A session whose hook answers, with so many regions in its own block, active for all threads.
  static func session(_ mechanism: Mechanism, regions: Int, options: Session.Options = []) throws -> Session {
    let session = try Session(mechanism: mechanism, options: options)
    for _ in 0..<regions { _ = try session.mapExecutable(code) }
    try session.setHook(TrapHook { _ in .value(Overhead.answer) })
    try session.activate(for: .allThreads)
    session.selector?.state = .allow
    return session
  }

  /// Calls what lies at an address.
  static func call(_ address: UInt64) -> Int {
    unsafeBitCast(UInt(address), to: (@convention(c) () -> Int).self)()
  }

  static func run(_ mechanism: Mechanism, regions: Int) throws -> [String: Double] {
    let before = getppidNanoseconds()
    let session = try session(mechanism, regions: regions)
    let after = getppidNanoseconds()
    session.selector?.state = .block
    let result = call(session.regions[0].range.start)
    session.selector?.state = .allow
    guard result == answer else { throw LiveFailure("the region's call was answered \(result)") }
    return ["overhead": after - before]
  }
}
