extension RegionMap {
  /// Compiles the map into one filter.
  ///
  /// Without ``CompileOptions/weights`` the instruction pointer is decided by a balanced tree: no way through it has more
  /// than `ceil(log2(boundaries)) + 4` comparisons.
  ///
  /// - Throws: ``CompileError/tooManyRegions(_:)`` where 4096 instructions do not suffice (without any region,
  ///   ``CompileError/tooLong(instructions:)``),
  ///   ``CompileError/contradictoryNumber(_:)`` or ``CompileError/contradictoryForeignNumber(_:_:)`` where the options
  ///   contradict each other, and
  ///   ``CompileError/gate(_:)`` where the gate is not a range that code can lie in.
  public func compile(_ options: CompileOptions = .init()) throws(CompileError) -> Program {
    let own = AuditArchitecture(architecture)
    for named in [own] + options.foreignTrapNumbers.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
      let patterns = named == own ? options.globalTrapPatterns.map(\.number) : []
      let trapped = options.trapNumbers(of: named, in: self) + patterns
      let allowed = options.allowedNumbers(of: named, in: self)
      guard !trapped.isEmpty, let number = allowed.first(where: Set(trapped).contains) else { continue }
      throw named == own ? .contradictoryNumber(number) : .contradictoryForeignNumber(number, named)
    }
    if let gate = options.gate {
      if gate.length < architecture.instructionLength { throw .gate(.tooShort(gate, architecture)) }
      if gate.end > architecture.userSpaceEnd { throw .gate(.aboveUserSpace(gate, architecture)) }
    }
    let instructions = emit(options)
    guard instructions.count <= Program.maximumLength else {
      let least = withoutRegions.emit(options).count
      guard least <= Program.maximumLength else { throw .tooLong(instructions: least) }
      throw .tooManyRegions(excess(of: instructions.count) { $0.emit(options).count })
    }
    return likelier(of: Program(emitted: instructions), and: options)
  }

  /// The program that was made for the weights, or the one that is made without them where that is the shorter way for
  /// the same calls: what is likely is found part by part, and the whole can come out otherwise.
  private func likelier(of program: Program, and options: CompileOptions) -> Program {
    guard let weights = options.weights else { return program }
    var unweighted = options
    unweighted.weights = nil
    let instructions = emit(unweighted)
    guard instructions.count <= Program.maximumLength else { return program }
    let other = Program(emitted: instructions)
    guard let expected = program.expectedLength(weights, on: architecture),
      let plain = other.expectedLength(weights, on: architecture), plain < expected
    else { return program }
    return other
  }

  private func emit(_ options: CompileOptions) -> [Instruction] {
    let filter = FilterGraph(self, options)
    return Layout.emit(filter.graph, root: filter.root)
  }
}
