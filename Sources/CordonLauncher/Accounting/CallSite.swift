import FilterCompiler
import SyscallPolicy

/// What a site's key says.
enum CallSite {
  /// The address of the instruction. Bit 47 tells the upper half of the address space, where the vsyscall page lies.
  static func address(ofKey key: UInt64) -> UInt64 { UInt64(bitPattern: Int64(bitPattern: key) >> 16) }

  /// The call's name, or its number where it has none; `int80:` and `x32:` in front say through which interface.
  static func name(ofCall call: UInt16) -> String {
    let (number, architecture) = numberAndArchitecture(ofCall: call)
    let prefix = architecture == .i386 ? "int80:" : ""
    if let name = SyscallNames.name(of: number, on: architecture) { return prefix + name }
    return number & 0x3fff == 0x3fff ? "-1" : "\(prefix)\(number)"
  }

  static func numberAndArchitecture(ofCall call: UInt16) -> (UInt32, AuditArchitecture) {
    let number = UInt32(call & 0x3fff)
    if call & 0x8000 != 0 { return (number, .i386) }
    return (call & 0x4000 != 0 ? number | 0x4000_0000 : number, .x86_64)
  }
}
