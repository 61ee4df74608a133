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
      let trapped = Set(options.trapNumbers(of: named, in: self))
      guard let number = options.allowedNumbers(of: named, in: self).first(where: trapped.contains) else { continue }
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
    return Program(emitted: instructions)
  }

  private func emit(_ options: CompileOptions) -> [Instruction] {
    let filter = FilterGraph(self, options)
    return Layout.emit(filter.graph, root: filter.root)
  }
}
