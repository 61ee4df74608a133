/// What a filter decides besides the instruction pointer. Each stage exists only where it is asked for, and they are
/// decided in the order in which they stand here.
public struct CompileOptions: Hashable, Sendable {
  /// Stage 1: the architectures whose calls the map decides; calls of any other get ``otherArchitecture``. Without it
  /// every call is decided by where it comes from, a 32-bit `int $0x80` too.
  public var checkedArchitectures: [AuditArchitecture]?
  /// What becomes of calls that stage 1 turns away.
  public var otherArchitecture: Disposition

  /// Stage 2: calls that are allowed from anywhere, decided before the instruction pointer is read, so that the
  /// kernel's constant-allow bitmap takes them (Linux 5.11 and later).
  ///
  /// Numbers mean calls of the map's own architecture; those of others go on to stage 3.
  public var allowedNumbers: [UInt32]

  /// Stage 3: code from which every call is allowed, whatever the map and stage 4 say.
  public var gate: AddressRange?

  /// Stage 4: calls that trap from anywhere but the gate; numbers of the map's own architecture.
  public var globalTrapNumbers: [UInt32]
  /// The data of a trap of stage 4.
  public var trapData: UInt16

  /// Options with only the stages that are named; without any, the instruction pointer alone decides.
  public init(
    checkedArchitectures: [AuditArchitecture]? = nil, otherArchitecture: Disposition = .killProcess,
    allowedNumbers: [UInt32] = [], gate: AddressRange? = nil, globalTrapNumbers: [UInt32] = [],
    trapData: UInt16 = 0
  ) {
    self.checkedArchitectures = checkedArchitectures
    self.otherArchitecture = otherArchitecture
    self.allowedNumbers = allowedNumbers
    self.gate = gate
    self.globalTrapNumbers = globalTrapNumbers
    self.trapData = trapData
  }
}
