extension Program {
  /// How many eBPF instructions the kernel makes of the program (`bpf_convert_filter` in net/core/filter.c): what it
  /// counts against the ``FilterStack/translatedBudget``.
  ///
  /// Three instructions set the registers up, and most others are translated one to one. A return of a constant takes
  /// two. A comparison takes two where it jumps on either outcome (or where one for common bits jumps only if there are
  /// none), and one more where its constant is 2^31 or above, which eBPF would take for negative. A division by `X`
  /// takes four more, which see to an `X` of 0. With `net.core.bpf_jit_harden` the kernel counts more.
  public var translatedLength: Int { operations.reduce(3) { $0 + $1.translatedLength } }
}

extension Operation {
  fileprivate var translatedLength: Int {
    switch self {
    case .answer: 2
    case .compute(.divide, .index): 5
    case .branch(let comparison, let operand, let jt, let jf):
      (jf != 0 && (jt != 0 || comparison == .anyBit) ? 2 : 1) + (operand.isNegativeImmediate ? 1 : 0)
    case .loadData, .load, .store, .compute, .negate, .copyToIndex, .copyToAccumulator, .jump, .answerAccumulator: 1
    }
  }
}

extension Operation.Operand {
  fileprivate var isNegativeImmediate: Bool {
    guard case .constant(let constant) = self else { return false }
    return constant >= 1 << 31
  }
}
