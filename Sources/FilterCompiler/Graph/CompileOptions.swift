/// What a filter decides besides the instruction pointer. Each stage exists only where it is asked for, and they are
/// decided in the order in which they stand here.
public struct CompileOptions: Hashable, Sendable {
  /// Stage 1: the architectures whose calls the map decides; calls of any other get ``otherArchitecture``. Without it
  /// every call is decided by where it comes from, a 32-bit `int $0x80` too.
  public var checkedArchitectures: [AuditArchitecture]?
  /// What becomes of calls that stage 1 turns away.
  public var otherArchitecture: Disposition
  /// Stage 1: what becomes of calls of the x32 interface, which pass for calls of x86-64 with bit 30 of the number set.
  /// Without it they are decided like any others: by where they come from, and in a policy as calls of another table.
  public var x32: Disposition?

  /// Stage 2: calls that are allowed from anywhere, decided before the instruction pointer is read, so that the
  /// kernel's constant-allow bitmap takes them (Linux 5.11 and later).
  ///
  /// Numbers mean calls of the map's own architecture, and nothing to x32: its calls have bit 30 in the number, with
  /// which they can be listed.
  public var allowedNumbers: [UInt32]
  /// The same for other architectures.
  public var foreignAllowedNumbers: [AuditArchitecture: [UInt32]]

  /// Stage 3: code from which every call is allowed, whatever the map and stage 4 say.
  public var gate: AddressRange?

  /// Stage 4: calls that trap from anywhere but the gate; numbers of the map's own architecture, as in stage 2.
  public var globalTrapNumbers: [UInt32]
  /// The same for other architectures: 64-bit code can make 32-bit calls with `int $0x80`.
  public var foreignTrapNumbers: [AuditArchitecture: [UInt32]]
  /// Calls that trap from anywhere but the gate by what their arguments are: of the map's own architecture, as in stage
  /// 2. What none of the patterns matches goes on to the map.
  public var globalTrapPatterns: [CallPattern]
  /// The data of a trap of stage 4.
  public var trapData: UInt16

  /// How often calls are made; with it the trees of stages 2 to 5 are those in which calls meet the fewest tests on average
  /// instead of the most balanced ones. What becomes of a call is the same.
  public var weights: CallWeights?

  /// Options with only the stages that are named; without any, the instruction pointer alone decides.
  public init(
    checkedArchitectures: [AuditArchitecture]? = nil, otherArchitecture: Disposition = .killProcess,
    x32: Disposition? = nil, allowedNumbers: [UInt32] = [],
    foreignAllowedNumbers: [AuditArchitecture: [UInt32]] = [:], gate: AddressRange? = nil,
    globalTrapNumbers: [UInt32] = [], foreignTrapNumbers: [AuditArchitecture: [UInt32]] = [:],
    globalTrapPatterns: [CallPattern] = [], trapData: UInt16 = 0, weights: CallWeights? = nil
  ) {
    self.checkedArchitectures = checkedArchitectures
    self.otherArchitecture = otherArchitecture
    self.x32 = x32
    self.allowedNumbers = allowedNumbers
    self.foreignAllowedNumbers = foreignAllowedNumbers
    self.gate = gate
    self.globalTrapNumbers = globalTrapNumbers
    self.foreignTrapNumbers = foreignTrapNumbers
    self.globalTrapPatterns = globalTrapPatterns
    self.trapData = trapData
    self.weights = weights
  }

  /// The numbers of stage 2 for calls of an architecture, in a filter for `map`.
  func allowedNumbers(of architecture: AuditArchitecture, in map: RegionMap) -> [UInt32] {
    (architecture == AuditArchitecture(map.architecture) ? allowedNumbers : [])
      + (foreignAllowedNumbers[architecture] ?? [])
  }

  /// The numbers of stage 4 for calls of an architecture, in a filter for `map`.
  func trapNumbers(of architecture: AuditArchitecture, in map: RegionMap) -> [UInt32] {
    (architecture == AuditArchitecture(map.architecture) ? globalTrapNumbers : [])
      + (foreignTrapNumbers[architecture] ?? [])
  }
}
