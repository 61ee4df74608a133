import FilterCompiler
import Glibc
import SyscallPolicy
import Testing

@Suite struct ErrnoNamesTests {
  /// The C library has the names of its machine's numbers, which all machines that Cordon knows share.
  @Test func namesMeanTheNumbersOfTheKernel() throws {
    // Swift's Glibc leaves strerrorname_np(3) out: the header has it for GNU sources only.
    let symbol = try #require(dlsym(nil, "strerrorname_np"))
    let nameOf = unsafeBitCast(symbol, to: (@convention(c) (CInt) -> UnsafePointer<CChar>?).self)
    var count = 0
    for number: CInt in 1...133 {
      guard let name = nameOf(number).map({ String(cString: $0) }) else { continue }
      count += 1
      let profile = try Profile(yaml: "default: errno \(name)", file: "p.yaml")
      #expect(profile.defaultDisposition == .errno(UInt16(number)), "\(name)")
    }
    #expect(count == 131)
  }

  @Test func aHoleInTheNumbersHasNoName() {
    #expect(throws: ProfileError.self) { try Profile(yaml: "default: errno -", file: "p.yaml") }
  }
}
