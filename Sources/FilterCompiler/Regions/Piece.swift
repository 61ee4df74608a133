/// A contiguous part of *instruction pointer space* that is decided alike.
///
/// Its bounds are values of `seccomp_data.instruction_pointer`, so the address **after** the instruction; the
/// shift from code addresses has been made. ``RegionMap/pieces()`` is the only place that makes it.
public struct Piece: Hashable, Sendable {
  /// The lowest instruction pointer of the piece.
  public let first: UInt64
  /// The highest, inclusive, so that the last piece can end at 2^64 - 1.
  public let last: UInt64
  /// What becomes of calls with such an instruction pointer; nil where no code lies and nobody cares.
  public let disposition: Disposition?

  package init(first: UInt64, last: UInt64, disposition: Disposition?) {
    self.first = first
    self.last = last
    self.disposition = disposition
  }

  /// Whether no code can report an instruction pointer of this piece.
  public var isDontCare: Bool { disposition == nil }

  /// Whether a call that reports `instructionPointer` belongs to the piece.
  public func contains(_ instructionPointer: UInt64) -> Bool {
    first <= instructionPointer && instructionPointer <= last
  }
}
