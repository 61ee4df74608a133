/// A value of `seccomp_data.arch`, by which the kernel says which table a system call number belongs to.
///
/// x32 calls carry ``x86_64`` and a number with bit 30 set.
public struct AuditArchitecture: RawRepresentable, Hashable, Sendable {
  /// The `AUDIT_ARCH_*` value.
  public let rawValue: UInt32

  /// The architecture of an `AUDIT_ARCH_*` value, known here or not.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `AUDIT_ARCH_X86_64`: `syscall` from 64-bit code, and x32.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public static let x86_64 = AuditArchitecture(rawValue: 0xc000_003e)
  /// `AUDIT_ARCH_I386`: 32-bit code, and `int $0x80` from any code.
  public static let i386 = AuditArchitecture(rawValue: 0x4000_0003)
  /// `AUDIT_ARCH_AARCH64`.
  public static let aarch64 = AuditArchitecture(rawValue: 0xc000_00b7)
  /// `AUDIT_ARCH_RISCV64`.
  public static let riscv64 = AuditArchitecture(rawValue: 0xc000_00f3)

  /// The architectures that have a name here.
  public static let known: [AuditArchitecture] = [.x86_64, .i386, .aarch64, .riscv64]

  /// The native one of `architecture`.
  public init(_ architecture: Architecture) { self.init(rawValue: architecture.auditArchitecture) }

  /// The architecture called `name`; nil where that is none of ``known``.
  public init?(name: String) {
    guard let found = Self.known.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// The bytes of a system call instruction; nil for an architecture that has no name here.
  package var instructionLength: UInt64? {
    switch self {
    case .x86_64, .i386: 2
    case .aarch64, .riscv64: 4
    default: nil
    }
  }

  /// `x86_64`, `i386`, `aarch64` or `riscv64`; nil for any other value.
  public var name: String? {
    switch self {
    case .x86_64: "x86_64"
    case .i386: "i386"
    case .aarch64: "aarch64"
    case .riscv64: "riscv64"
    default: nil
    }
  }
}

extension AuditArchitecture: CustomStringConvertible {
  /// The name, or the value in hexadecimal where it has none.
  public var description: String { name ?? hexadecimal(rawValue) }
}
