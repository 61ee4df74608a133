import FilterCompiler
import TestSupport
import Testing
import TrapEngine

@testable import Cordon

/// What the SIGSYS handler makes of a policy, against what its rules say.
@Suite struct PolicyJudgementTests {
  @Test func `every answer is what the rules say`() throws {
    var generator = SeededGenerator(seed: 0x1d9e)
    var answers: [Action.Kind: Int] = [:]
    for _ in 0..<300 {
      let policy = try #require(
        Policy.random(rules: 6, tables: [.x86_64, .i386, .x32].shuffled(using: &generator), using: &generator))
      let program = try RegionMap(default: .policy(PolicyBody(readOff: policy))).compile()
      for call in policy.calls(100, using: &generator) {
        let answer = judge(call, program)
        try #require(answer == policy.answer(to: call), "\(call) of \(policy.tables)")
        if let kind = answer.kind { answers[kind, default: 0] += 1 }
      }
    }
    #expect(answers.count == 4 && answers.values.allSatisfy { $0 > 1000 }, "\(answers)")
  }

  /// As the kernel has it: what no filter would be taken with ends the process.
  @Test func `programs that are none end the process`() throws {
    let call = SeccompData(nr: 39)
    let broken: [[Instruction]] = [
      [], [Instruction(code: 0x20, k: 0)], [Instruction(code: 0x20, k: 64), Instruction(code: 0x06, k: 0x7fff_0000)],
      [Instruction(code: 0x05, k: .max), Instruction(code: 0x06, k: 0x7fff_0000)],
      [Instruction(code: 0x15, jt: 9, jf: 9, k: 0), Instruction(code: 0x06, k: 0x7fff_0000)],
      [Instruction(code: 0x87, k: 0), Instruction(code: 0x06, k: 0x7fff_0000)],
    ]
    for instructions in broken { #expect(judge(call, instructions) == Action(.killProcess), "\(instructions)") }
  }

  private func judge(_ call: SeccompData, _ program: Program) -> Action { judge(call, program.instructions) }

  private func judge(_ call: SeccompData, _ instructions: [Instruction]) -> Action {
    var trap = CordonTrap()
    trap.number = Int32(bitPattern: call.number)
    trap.architecture = call.architecture.rawValue
    trap.instruction_address = call.instructionPointer &- 2
    let all = call.arguments
    trap.arguments = (all[0], all[1], all[2], all[3], all[4], all[5])
    let own = instructions.map { CordonInstruction(code: $0.code, if_true: $0.jt, if_false: $0.jf, constant: $0.k) }
    return Action(rawValue: cordon_judge(&trap, own, UInt64(own.count)))
  }
}
