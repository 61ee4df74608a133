/// Why a region map could not become a filter.
public enum CompileError: Error, Hashable, Sendable {
  /// The program would have more than the 4096 instructions the kernel takes.
  case tooManyRegions(FilterExcess)
  /// Even without regions the program would have this many instructions, more than the 4096 that the kernel takes: the
  /// default, if it is a policy, and what is decided by number are too much.
  case tooLong(instructions: Int)
  /// A number is to be allowed from anywhere and to trap from anywhere.
  case contradictoryNumber(UInt32)
  /// The same of a number of another architecture than the map's.
  case contradictoryForeignNumber(UInt32, AuditArchitecture)
  /// The gate is not a range that code can lie in.
  case gate(RegionError)
}

extension CompileError: CustomStringConvertible {
  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .tooManyRegions(let excess):
      "\(excess.regions) regions need \(excess.instructions) instructions, \(excess.excess) more than the"
        + " \(Program.maximumLength) of a filter; the first \(excess.fit) fit"
    case .tooLong(let instructions):
      "the filter would have \(instructions) instructions even without regions,"
        + " \(instructions - Program.maximumLength) more than a filter can have"
    case .contradictoryNumber(let number):
      "system call \(number) is both to be allowed and to trap from anywhere"
    case .contradictoryForeignNumber(let number, let architecture):
      "system call \(number) of \(architecture) is both to be allowed and to trap from anywhere"
    case .gate(let error): "the gate: \(error)"
    }
  }

  /// What to do about it, where there is something to do.
  public var remedy: String? { remedy(naming: { range in "\(range)" }) }

  /// The same with regions called as `words` says.
  package func remedy(naming words: (AddressRange) -> String) -> String? {
    switch self {
    case .tooManyRegions(let excess): FilterExcess.remedy(merging: excess.merges, naming: words)
    case .tooLong: "let policies have fewer rules with conditions, and list fewer calls that lie apart"
    case .contradictoryNumber, .contradictoryForeignNumber, .gate: nil
    }
  }
}
