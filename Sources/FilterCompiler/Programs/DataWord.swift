/// One of the sixteen 32-bit words of `struct seccomp_data`, all that a filter can see of a call.
public struct DataWord: Hashable, Sendable {
  /// One byte: decision graphs have thousands of them.
  private let place: UInt8

  private init(index: Int) { place = UInt8(index) }

  /// The word's place in the structure, 0...15, in units of 4 bytes.
  public var index: Int { Int(place) }

  /// The word at a byte offset; nil where the kernel would refuse to load it (not aligned, or 64 and above).
  public init?(offset: UInt32) {
    guard offset < 64, offset.isMultiple(of: 4) else { return nil }
    self.init(index: Int(offset / 4))
  }

  /// The offset in bytes, 0...60.
  public var offset: UInt32 { UInt32(index) * 4 }

  /// The system call number.
  public static let number = DataWord(index: 0)
  /// The architecture, an ``AuditArchitecture``.
  public static let architecture = DataWord(index: 1)
  /// The lower half of the instruction pointer: all machines described here are little-endian.
  public static let instructionPointerLow = DataWord(index: 2)
  /// The upper half of the instruction pointer.
  public static let instructionPointerHigh = DataWord(index: 3)
  /// The lower half of argument `index`, 0...5.
  public static func argumentLow(_ index: Int) -> DataWord {
    precondition((0..<6).contains(index), "a system call has six arguments")
    return DataWord(index: 4 + 2 * index)
  }
  /// The upper half of argument `index`, 0...5.
  public static func argumentHigh(_ index: Int) -> DataWord {
    precondition((0..<6).contains(index), "a system call has six arguments")
    return DataWord(index: 5 + 2 * index)
  }

  /// The other half of the same 64-bit value; nil for the number and the architecture.
  public var otherHalf: DataWord? { index < 2 ? nil : DataWord(index: index ^ 1) }
  /// Whether this is the lower half of a 64-bit value.
  public var isLowHalf: Bool { index >= 2 && index.isMultiple(of: 2) }
  /// Whether this is the upper half of a 64-bit value.
  public var isHighHalf: Bool { index >= 2 && !index.isMultiple(of: 2) }

  /// The value that the word is, or is half of: `nr`, `arch`, `ip` or `arg0`...`arg5`.
  public var valueName: String {
    switch index {
    case 0: "nr"
    case 1: "arch"
    case 2, 3: "ip"
    default: "arg\((index - 4) / 2)"
    }
  }
}

extension DataWord: CustomStringConvertible {
  /// `nr`, `arch`, `ip.low`, `arg3.high`.
  public var description: String {
    if index < 2 { valueName } else { valueName + (isLowHalf ? ".low" : ".high") }
  }
}
