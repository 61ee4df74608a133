extension FilterStack {
  /// The most eBPF instructions that all filters of a thread may have together (`MAX_INSNS_PER_PATH` in
  /// kernel/seccomp.c); what would exceed it is refused with ENOMEM.
  public static let translatedBudget = 32768
  /// What each filter counts against the budget besides its length, once there is a newer one.
  public static let translatedOverhead = 4

  /// What the stack takes of the ``translatedBudget``, in eBPF instructions: all translated lengths, and 4 for each
  /// filter but the newest.
  public var translatedLength: Int {
    programs.reduce(0) { $0 + $1.translatedLength } + max(programs.count - 1, 0) * Self.translatedOverhead
  }

  /// Whether the kernel's bitmap (Linux 5.11 and later) lets a call through without running any filter: all of them
  /// allow it without a look at the instruction pointer or the arguments, and in a way that the kernel follows.
  ///
  /// The kernel keeps bitmaps for its own architecture and for the 32-bit one beside it, and only for numbers that it
  /// has calls for; x32 calls are never in them. It lets `uretprobe` and, since 6.18, `uprobe` pass whatever the
  /// filters say.
  public func isCached(_ number: UInt32, on architecture: AuditArchitecture) -> Bool {
    programs.allSatisfy { $0.isConstantAllow(number, architecture) }
  }
}

extension Program {
  /// What `seccomp_is_const_allow` in kernel/seccomp.c finds: it knows loads of the number and the architecture, jumps,
  /// comparisons with constants and masks, and gives up at anything else.
  fileprivate func isConstantAllow(_ number: UInt32, _ architecture: AuditArchitecture) -> Bool {
    var accumulator: UInt32 = 0
    var index = 0
    while true {
      guard let operation = try? Operation(instructions[index]) else { return false }
      index += 1
      switch operation {
      case .loadData(.number): accumulator = number
      case .loadData(.architecture): accumulator = architecture.rawValue
      case .answer(let action): return action == Action(.allow)
      case .jump(let distance): index += Int(distance)
      case .branch(let comparison, .constant(let constant), let jt, let jf):
        index += Int(comparison.holds(accumulator, constant) ? jt : jf)
      case .compute(.and, .constant(let mask)): accumulator &= mask
      default: return false
      }
    }
  }
}
