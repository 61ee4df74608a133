import CordonShims
import FilterCompiler
import SystemPackage

/// How many more filters the kernel takes: all of a thread's, whoever has attached them, may have 32,768 instructions of
/// eBPF together (`MAX_INSNS_PER_PATH` in kernel/seccomp.c). Nothing tells how many there are, so a child tries.
struct FilterRoom: Sendable {
  /// For so many there is room, at least.
  private var known = 0

  /// What the filter that traps everything takes, at most.
  private static let last = 48
  /// What is asked for at first: more than exact filters take until the last one.
  private static let plenty = 2_048
  /// As many as one filter of such answers can have.
  private static let most = Program.maximumLength * 2

  /// Whether there is room for these, and for the one that traps everything behind them. Where that cannot be found out,
  /// it is assumed.
  mutating func suffices(for programs: [Program]) -> Bool {
    let needed = programs.reduce(Self.last) { $0 + $1.translatedLength + FilterStack.translatedOverhead }
    if known >= needed { return true }
    for wanted in [max(needed, Self.plenty), needed] where Self.isThere(for: wanted) {
      known = wanted
      return true
    }
    return false
  }

  /// Keeps that a filter has been attached.
  mutating func take(_ program: Program) {
    known = max(0, known - program.translatedLength - FilterStack.translatedOverhead)
  }

  private static func isThere(for count: Int) -> Bool {
    // An answer is translated to two instructions.
    let allow = Operation.answer(Action(.allow)).instruction
    let instructions = [Instruction](repeating: allow, count: min(count, most) / 2)
    let result = instructions.withUnsafeBytes { bytes in
      cordon_seccomp_rehearse(bytes.baseAddress, UInt16(instructions.count), 0, 1)
    }
    return result != -Int(Errno.noMemory.rawValue)
  }
}
