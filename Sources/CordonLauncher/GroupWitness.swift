import Glibc
import LauncherShims

/// Tells signals that were sent to the whole process group, which the program has got itself, from those that were sent to
/// the launcher alone: a process that is in the group, too, and blocks everything.
///
/// A signal is pending once, however often it is sent, so each time there is a new one before the launcher takes what it has
/// got. The kernel sends to a group from its newest member to its oldest, so what the launcher takes then is pending for the old
/// one or for the new one already.
final class GroupWitness {
  private let stacks: UnsafeMutableRawPointer
  private var process: Int32
  private var usesSecondStack = false

  private static let stackSize = 16384

  /// nil where no process can be made.
  init?() {
    guard
      let memory = mmap(
        nil, 2 * Self.stackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0),
      memory != MAP_FAILED
    else { return nil }
    stacks = memory
    process = cordon_witness_start(memory + Self.stackSize)
    guard process > 0 else {
      munmap(memory, 2 * Self.stackSize)
      return nil
    }
  }

  deinit {
    cordon_witness_end(process)
    munmap(stacks, 2 * Self.stackSize)
  }

  /// Has it end, without waiting for that. Nothing more is asked of it.
  func dismiss() { kill(process, SIGKILL) }

  /// Those of the signals that `take` takes which were sent to the launcher alone.
  func signalsToOne(_ take: () -> [CordonSignal]) -> [CordonSignal] {
    var toOne: [CordonSignal] = []
    // What is pending for the new witness and has been taken would be mistaken for what comes next: so there is another one,
    // but not for ever, as long as somebody keeps sending.
    for _ in 0..<8 {
      let successor = startAnother()
      let taken = take()
      let seen = successor.map(Self.pending) ?? 0
      let known = seen | Self.pending(of: process)
      if let successor {
        cordon_witness_end(process)
        process = successor
      }
      toOne += taken.filter { $0.bit & known == 0 }
      guard taken.contains(where: { $0.bit & seen != 0 }) else { break }
    }
    return toOne
  }

  /// nil where no process can be made.
  private func startAnother() -> Int32? {
    usesSecondStack.toggle()
    let process = cordon_witness_start(stacks + (usesSecondStack ? 2 : 1) * Self.stackSize)
    if process <= 0 { usesSecondStack.toggle() }
    return process > 0 ? process : nil
  }

  private static func pending(of process: Int32) -> UInt64 {
    ["ShdPnd", "SigPnd"].reduce(0) { pending, name in
      pending | (StatusFile.field(name, of: process).flatMap { UInt64($0, radix: 16) } ?? 0)
    }
  }
}
