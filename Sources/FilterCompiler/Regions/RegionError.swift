/// Why a range or a region was refused.
public enum RegionError: Error, Hashable, Sendable {
  /// A range without a byte in it.
  case emptyRange(at: UInt64)
  /// A range whose end lies before its start.
  case reversedRange(start: UInt64, end: UInt64)
  /// A text that is not `0xSTART-0xEND`.
  case malformedRange(String)
  /// A region that no system call instruction fits into.
  case tooShort(AddressRange, Architecture)
  /// A range that reaches beyond the addresses user code can have.
  case aboveUserSpace(AddressRange, Architecture)
  /// Two overlapping ranges that ask for different things; nil is "don't care".
  case contradiction(AddressRange, Disposition?, with: AddressRange, Disposition?)
}

extension RegionError: CustomStringConvertible {
  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .emptyRange(let start):
      "the range \(hexadecimal(start))-\(hexadecimal(start)) is empty"
    case .reversedRange(let start, let end):
      "the range \(hexadecimal(start))-\(hexadecimal(end)) ends before it starts"
    case .malformedRange(let text):
      "'\(text)' is not a range of the form 0xSTART-0xEND"
    case .tooShort(let range, let architecture):
      "the range \(range) is too short for a system call instruction"
        + " (\(architecture.instructionLength) bytes on \(architecture))"
    case .aboveUserSpace(let range, let architecture):
      "the range \(range) reaches above user space, which ends at"
        + " \(hexadecimal(architecture.userSpaceEnd)) on \(architecture)"
    case .contradiction(let new, let wanted, let old, let present):
      "\(Self.words(wanted)) \(new) contradicts \(Self.words(present)) \(old)"
    }
  }

  private static func words(_ disposition: Disposition?) -> String {
    disposition?.description ?? "don't care"
  }
}
