import FilterCompiler
import Glibc
import Testing
import TrapEngine

/// The kernel counts filters in translated instructions, as the compiler's cost model says.
@Suite struct FilterBudgetTests {
  private typealias Meaning = FilterCompiler.Operation

  /// One instruction of each kind of translation; jumps stay within the three after it.
  static let kinds: [(String, FilterCompiler.Operation)] = [
    ("load", .loadData(.argumentLow(0))), ("length", .load(.index, .length)), ("arithmetic", .compute(.or, .index)),
    ("constant of 2^31 in arithmetic", .compute(.add, .constant(1 << 31))),
    ("division by X", .compute(.divide, .index)), ("division", .compute(.divide, .constant(3))),
    ("negation", .negate), ("memory", .store(.accumulator, 3)), ("jump", .jump(1)), ("return", .answer(Action(.trap))),
    ("return of A", .answerAccumulator), ("jump if true", .branch(.greater, .constant(1), jt: 2, jf: 0)),
    ("jump if false", .branch(.greater, .constant(1), jt: 0, jf: 2)),
    ("jump if either", .branch(.greater, .constant(1), jt: 1, jf: 2)),
    ("jump nowhere", .branch(.equal, .constant(1), jt: 0, jf: 0)),
    ("no common bits", .branch(.anyBit, .constant(1), jt: 0, jf: 2)),
    ("common bits", .branch(.anyBit, .constant(1), jt: 2, jf: 0)),
    ("large constant", .branch(.equal, .constant(1 << 31), jt: 0, jf: 1)),
    ("large constant, either", .branch(.greaterOrEqual, .constant(.max), jt: 1, jf: 2)),
    ("X", .branch(.greaterOrEqual, .index, jt: 1, jf: 2)),
  ]

  @Test(
    .enabled(
      if: KernelSetting.isZeroOrHidden("/proc/sys/net/core/bpf_jit_harden"),
      "with net.core.bpf_jit_harden the kernel adds instructions that hide constants"),
    arguments: kinds.indices)
  func `as many filters fit as the cost says`(_ kind: Int) async {
    await #expect(processExitsWith: .success) { [kind = kind as Int] in
      begin()
      nativeCall(Number.prctl, 38, 1)
      // It ends at once, so that what follows costs nothing to run.
      let allow = FilterCompiler.Operation.answer(Action(.allow))
      let body = Array(repeating: FilterBudgetTests.kinds[kind].1, count: 40)
      let program = try Program(([allow] + body + [allow, allow, allow]).map(\.instruction))
      var loaded = 0
      var result = 0
      while result == 0, loaded < 1000 {
        result = program.instructions.withUnsafeBufferPointer {
          cordon_seccomp_load($0.baseAddress, UInt16($0.count), 0)
        }
        if result == 0 { loaded += 1 }
      }
      check(result, -Int(ENOMEM), "the answer to one too many")
      func length(_ count: Int) -> Int { FilterStack(Array(repeating: program, count: count)).translatedLength }
      #expect(length(loaded) <= FilterStack.translatedBudget, "\(loaded) filters of \(program.translatedLength)")
      #expect(length(loaded + 1) > FilterStack.translatedBudget, "\(loaded) filters of \(program.translatedLength)")
    }
  }
}

private enum KernelSetting {
  /// Whether a setting is 0, or nobody without privileges can read it.
  static func isZeroOrHidden(_ path: String) -> Bool {
    guard let line = linesOfFile(path).first else { return true }
    return line == "0"
  }
}
