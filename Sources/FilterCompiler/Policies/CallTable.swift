/// A table of system calls: what a number means.
///
/// It is `seccomp_data.arch`, but for one thing: calls of the x32 interface carry x86-64's value and set bit 30 of the
/// number, though they have a table of their own. What only looks at the architecture lets them pass for others.
public enum CallTable: String, CaseIterable, Sendable, CustomStringConvertible {
  /// `syscall` from 64-bit code on x86-64.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case x86_64
  /// The x32 interface of x86-64: bit 30 of the number is set.
  case x32
  /// 32-bit code on x86, and `int $0x80` from any code.
  case i386
  /// 64-bit Arm.
  case aarch64
  /// 64-bit RISC-V.
  case riscv64

  /// The numbers of x32 calls, as the kernel reports them. (Numbers from 2^31 on are negative, and no calls.)
  public static let x32Numbers: ClosedRange<UInt32> = 0x4000_0000...0x7fff_ffff

  /// `seccomp_data.arch` of its calls.
  public var architecture: AuditArchitecture {
    switch self {
    case .x86_64, .x32: .x86_64
    case .i386: .i386
    case .aarch64: .aarch64
    case .riscv64: .riscv64
    }
  }

  /// The numbers that its calls can have, as the kernel reports them.
  public var numbers: ClosedRange<UInt32> { self == .x32 ? Self.x32Numbers : 0...0x3fff_ffff }

  /// The native table of a machine.
  public init(_ architecture: Architecture) {
    switch architecture {
    case .x86_64: self = .x86_64
    case .aarch64: self = .aarch64
    case .riscv64: self = .riscv64
    }
  }

  /// The table that a call belongs to; nil for an architecture that has no name here. Numbers that no table has belong to
  /// the one of their architecture.
  public init?(_ architecture: AuditArchitecture, number: UInt32) {
    if architecture == .x86_64, Self.x32Numbers.contains(number) {
      self = .x32
    } else if let found = Self.allCases.first(where: { $0 != .x32 && $0.architecture == architecture }) {
      self = found
    } else {
      return nil
    }
  }

  /// The name, as profiles have it.
  public var description: String { rawValue }
}
