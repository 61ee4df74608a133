extension RegionMap {
  /// Compiles the map into one filter.
  ///
  /// The instruction pointer is decided by one balanced tree: no way through it has more than
  /// `ceil(log2(boundaries)) + 4` comparisons.
  ///
  /// - Throws: ``CompileError/tooManyRegions(given:fit:)`` where 4096 instructions do not suffice (without any region,
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
      let least = keepingFirst(0).emit(options).count
      guard least <= Program.maximumLength else { throw .tooLong(instructions: least) }
      let lengths = 0..<regions.count
      let tooLong = Array(lengths).partitioningIndex { count in
        keepingFirst(count).emit(options).count > Program.maximumLength
      }
      throw .tooManyRegions(given: regions.count, fit: max(tooLong - 1, 0))
    }
    return Program(emitted: instructions)
  }

  private func emit(_ options: CompileOptions) -> [Instruction] {
    let filter = FilterGraph(self, options)
    return Layout.emit(filter.graph, root: filter.root)
  }

  /// The map without the regions after the first `count`.
  private func keepingFirst(_ count: Int) -> RegionMap {
    var map = self
    map.regions.removeSubrange(count...)
    return map
  }
}
