/// A half-open range of code addresses, `[start, end)`, in bytes of one process's virtual address space.
///
/// It says where *instructions* lie. What the kernel reports of a system call is the address after its
/// instruction; ``RegionMap`` makes that shift, and nothing else should.
public struct AddressRange: Hashable, Sendable {
  /// The first byte of the range.
  public let start: UInt64
  /// The first byte after the range; greater than `start`.
  public let end: UInt64

  /// Makes the range `[start, end)`.
  ///
  /// - Throws: ``RegionError/emptyRange(at:)`` where the bounds are equal, ``RegionError/reversedRange(start:end:)``
  ///   where the end lies before the start.
  public init(start: UInt64, end: UInt64) throws(RegionError) {
    guard start != end else { throw .emptyRange(at: start) }
    guard start < end else { throw .reversedRange(start: start, end: end) }
    self.init(nonEmpty: start, end)
  }

  /// The range `[start, end)`, for callers inside the compiler that know `start < end`.
  init(nonEmpty start: UInt64, _ end: UInt64) {
    assert(start < end)
    self.start = start
    self.end = end
  }

  /// The length in bytes; at least 1.
  public var length: UInt64 { end - start }

  /// Whether the byte at `address` belongs to the range.
  public func contains(_ address: UInt64) -> Bool { start <= address && address < end }

  /// Whether every byte of `other` belongs to this range too.
  public func contains(_ other: AddressRange) -> Bool { start <= other.start && other.end <= end }

  /// Whether the two ranges have a byte in common; ranges that only touch do not.
  public func overlaps(_ other: AddressRange) -> Bool { start < other.end && other.start < end }
}

extension AddressRange: CustomStringConvertible {
  /// `0xSTART-0xEND`, the form that ``init(parsing:)`` reads.
  public var description: String { "\(hexadecimal(start))-\(hexadecimal(end))" }
}

extension AddressRange {
  /// Reads `0xSTART-0xEND`: two hexadecimal numbers of at most 64 bits, each with its `0x`, and no spaces.
  ///
  /// - Throws: ``RegionError/malformedRange(_:)`` for any other text, and what ``init(start:end:)`` throws.
  public init(parsing text: some StringProtocol) throws(RegionError) {
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false)
    guard bounds.count == 2, let start = address(parsing: bounds[0]), let end = address(parsing: bounds[1])
    else { throw .malformedRange(String(text)) }
    try self.init(start: start, end: end)
  }
}

/// The number that `0x…` writes; nil where it is not such a number, or has more than 64 bits.
package func address(parsing text: some StringProtocol) -> UInt64? {
  guard text.hasPrefix("0x") || text.hasPrefix("0X") else { return nil }
  let digits = text.dropFirst(2)
  // UInt64 would take a sign too.
  guard digits.allSatisfy(\.isHexDigit) else { return nil }
  return UInt64(digits, radix: 16)
}

/// `0x…`, in lower case and without leading zeros: the one way in which Cordon writes an address.
package func hexadecimal(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
