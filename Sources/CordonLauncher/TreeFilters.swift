import AgentInterface
package import FilterCompiler

/// The filters that a tree of processes is under for life. They name nothing but the agent's pages, so they fit every
/// program that is executed under them, wherever its code comes to lie.
package struct TreeFilters: Sendable {
  /// Has the launcher asked before a program is executed, whatever calls and however. This is the one with a listener.
  package let execution: Program
  /// Traps calls; those from the agent's pages pass.
  package let trapping: Program

  /// - Parameter exempt: the agent's pages.
  package init(exempt: AddressRange) throws(CompileError) {
    execution = Self.asking(before: Self.executingCalls)
    let map = RegionMap(default: .trap(data: UInt16(CORDON_AGENT_TRAP_DATA)))
    trapping = try map.compile(CompileOptions(gate: exempt))
  }

  /// execve and execveat by every way into the kernel; x32's have bit 30 set and numbers of their own.
  static let executingCalls: [(AuditArchitecture, [UInt32])] = [
    (.x86_64, [59, 322, 0x4000_0000 | 520, 0x4000_0000 | 545]), (.i386, [11, 358]),
  ]

  /// A filter that decides by number alone, so that the kernel keeps its answers in its bitmap of allowed calls.
  private static func asking(before calls: [(AuditArchitecture, [UInt32])]) -> Program {
    let (number, architecture) = (UInt32(0), UInt32(4))  // offsets in struct seccomp_data
    func load(_ offset: UInt32) -> Instruction { Instruction(code: 0x20, jt: 0, jf: 0, k: offset) }
    func answer(_ action: Action) -> Instruction { Instruction(code: 0x06, jt: 0, jf: 0, k: action.rawValue) }
    func isEqual(_ value: UInt32, else skipped: Int) -> Instruction {
      Instruction(code: 0x15, jt: 0, jf: UInt8(skipped), k: value)
    }
    var instructions = [load(architecture)]
    for (architecture, numbers) in calls {
      instructions += [isEqual(architecture.rawValue, else: 2 * numbers.count + 2), load(number)]
      for number in numbers { instructions += [isEqual(number, else: 1), answer(Action(.notify))] }
      instructions.append(answer(Action(.allow)))
    }
    instructions.append(answer(Action(.allow)))
    return Program(checked: instructions)
  }
}

extension Program {
  /// A program that is known to be valid.
  fileprivate init(checked instructions: [Instruction]) {
    do { self = try Program(instructions) } catch { preconditionFailure("\(error)") }
  }
}
