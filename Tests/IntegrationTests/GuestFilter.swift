import Glibc
import GuestCode

/// A seccomp filter that is not Cordon's, put together by hand.
struct GuestFilter {
  private let code: [UInt64]

  /// struct sock_filter: 16 bits of code, two jumps of 8, 32 bits of constant.
  private static func instruction(_ code: UInt64, _ jt: UInt64, _ jf: UInt64, _ constant: UInt32) -> UInt64 {
    code | jt << 16 | jf << 24 | UInt64(constant) << 32
  }
  private static let allow = instruction(0x06, 0, 0, 0x7fff_0000)
  private static func load(_ offset: UInt32) -> UInt64 { instruction(0x20, 0, 0, offset) }
  private static func skip(_ count: UInt64, unless value: UInt32) -> UInt64 { instruction(0x15, 0, count, value) }
  private static func errno(_ number: Int32) -> UInt64 { instruction(0x06, 0, 0, 0x0005_0000 | UInt32(number)) }

  /// `length` instructions that allow everything.
  init(allowingBy length: Int) {
    code = [UInt64](repeating: GuestFilter.load(0), count: length - 1) + [GuestFilter.allow]
  }

  /// Calls of `number` fail with an errno, if their first two arguments are these.
  init(refusing number: Int, with answer: Int32, firstArgument: UInt32? = nil, second: UInt32? = nil) {
    var tests: [(offset: UInt32, value: UInt32)] = [(0, UInt32(number))]
    if let firstArgument { tests.append((16, firstArgument)) }
    if let second { tests.append((24, second)) }
    var code: [UInt64] = []
    for (index, test) in tests.enumerated() {
      // To the last instruction: over the tests that follow, two each, and the refusal.
      let rest = UInt64(tests.count - 1 - index) * 2 + 1
      code += [GuestFilter.load(test.offset), GuestFilter.skip(rest, unless: test.value)]
    }
    self.code = code + [GuestFilter.errno(answer), GuestFilter.allow]
  }

  /// getuid fails with errno 77, getgid traps with data 0x1234.
  init() {
    code = [
      GuestFilter.load(0), GuestFilter.skip(1, unless: UInt32(Number.getuid)), GuestFilter.errno(77),
      GuestFilter.skip(1, unless: UInt32(Number.getgid)), GuestFilter.instruction(0x06, 0, 0, 0x0003_1234),
      GuestFilter.allow,
    ]
  }

  /// Calls of these numbers get `action`, a SECCOMP_RET_ value; all others are allowed.
  init(_ numbers: [Int], _ action: UInt32) {
    code =
      [GuestFilter.load(0)]
      + numbers.flatMap { [GuestFilter.skip(1, unless: UInt32($0)), GuestFilter.instruction(0x06, 0, 0, action)] }
      + [GuestFilter.allow]
  }

  /// Attaches it to the calling thread, by a call of the caller's choice: 0 or a negated errno.
  func load(flags: Int = 0, by call: (Int, Int, Int, Int) -> Int = { nativeCall($0, $1, $2, $3) }) -> Int {
    code.withUnsafeBufferPointer { code in
      var program = (code.count, Int(bitPattern: code.baseAddress))
      return withUnsafeMutablePointer(to: &program) { call(Number.seccomp, 1, flags, Int(bitPattern: $0)) }
    }
  }
}
