import FilterCompiler
import KernelJudge
import SystemPackage

/// The kernel's seccomp as the judge of a filter: calls that are really made, from real code at chosen addresses.
///
/// In the filter each answer is replaced by an error number that no other answer has, so that a call says by its result
/// how it was decided, and none happens.
enum SeccompJudge {
  /// What the kernel decides about calls that could be made, in their order; nil for those that could not: where there is
  /// no room for code, or other code already.
  ///
  /// - Throws: what the kernel says against the program, and `.noChildProcess` where a call ended the process that made it.
  static func verdicts(of program: Program, on calls: [SeccompData]) throws(Errno) -> [Action?] {
    var actions: [Action] = []
    let instructions = program.operations.map { operation -> Instruction in
      guard case .answer(let action) = operation else { return operation.instruction }
      if !actions.contains(action) { actions.append(action) }
      let number = (actions.firstIndex(of: action) ?? 0) + 1
      return Operation.answer(Action(.errno, data: UInt16(number))).instruction
    }
    precondition(actions.count < 4096, "there are not as many error numbers")
    var made = calls.map(judged_call.init)
    let result = instructions.withUnsafeBufferPointer { instructions in
      judge_calls(instructions.baseAddress, UInt16(instructions.count), &made, made.count)
    }
    guard result == 0 else { throw Errno(rawValue: -result) }
    return made.map { call in
      call.result < 0 && call.result >= -Int64(actions.count) ? actions[Int(-call.result) - 1] : nil
    }
  }

  /// Whether a call can be made on this machine so that the filter decides it.
  static func canMake(_ call: SeccompData) -> Bool {
    // uretprobe(2) and uprobe(2) pass whatever a filter says, and kill who makes them from elsewhere.
    guard ![335, 336].contains(call.number) else { return false }
    // The lowest pages are forbidden, and the last one below 2^47 cannot be mapped.
    guard (0x2_0000..<0x7fff_ffff_e000).contains(call.instructionPointer) else { return false }
    // `int $0x80` cannot hold more.
    let fits = call.arguments.allSatisfy { $0 <= UInt32.max }
    return call.architecture == .x86_64 || call.architecture == .i386 && fits && hasOldCalls
  }

  /// Whether this kernel knows `int $0x80`.
  private static let hasOldCalls: Bool = {
    let nowhere = SeccompData(nr: OldNumber.getpid32, arch: .i386, instructionPointer: 0x1234_5678_0002)
    let program = try? Program([Operation.answer(Action(.allow)).instruction])
    return program.flatMap { try? verdicts(of: $0, on: [nowhere]) } == [Action(.allow)]
  }()
}

extension OldNumber {
  fileprivate static var getpid32: UInt32 { UInt32(getpid) }
}

extension judged_call {
  fileprivate init(_ call: SeccompData) {
    self.init()
    address = call.instructionPointer &- 2
    let values = call.arguments
    arguments = (values[0], values[1], values[2], values[3], values[4], values[5])
    number = call.number
    is_32_bit = call.architecture == .i386 ? 1 : 0
  }
}
