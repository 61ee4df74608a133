import FilterCompiler
import SyscallPolicy

/// What filters cost, one by one and together.
struct StackCost {
  /// One filter of the stack.
  struct Filter {
    let name: String
    let instructions: Int
    /// In eBPF, as the kernel counts.
    let translated: Int
    let path: PathLengths
    /// How many instructions a call runs through on average; nil where it is not known how often calls are made.
    let expected: Double?
  }

  /// The calls of an architecture that the kernel's bitmap lets through without running a filter.
  struct Cached {
    let architecture: AuditArchitecture
    /// How many calls of the architecture have names.
    let named: Int
    let names: [String]
  }

  let filters: [Filter]
  /// What all of them take of the kernel's budget.
  let translated: Int
  let cached: [Cached]

  /// The cost of some filters, the oldest first, where calls of `architecture` are made as `weights` say.
  init(_ files: [InputFile], weights: CallWeights? = nil, architecture: Architecture = .host) {
    let stack = FilterStack(files.map(\.program))
    filters = files.map { file in
      Filter(
        name: file.name, instructions: file.program.instructions.count, translated: file.program.translatedLength,
        path: file.program.pathLengths,
        expected: weights.flatMap { file.program.expectedLength($0, on: architecture) })
    }
    translated = stack.translatedLength
    cached = AuditArchitecture.known.map { architecture in
      // The tables end well below.
      let calls = (0..<UInt32(1024)).compactMap { number in
        SyscallNames.name(of: number, on: architecture).map { (number, $0) }
      }
      let names = calls.filter { stack.isCached($0.0, on: architecture) }.map(\.1)
      return Cached(architecture: architecture, named: calls.count, names: names)
    }
  }

  /// How many instructions a call runs through in all filters, at least and at most.
  var path: (shortest: Int, longest: Int) {
    (filters.reduce(0) { $0 + $1.path.shortest }, filters.reduce(0) { $0 + $1.path.longest })
  }
}
