import Glibc
import LauncherShims

/// Tells signals that were sent to the whole process group, which the program has got itself, from those that were sent to
/// the launcher alone: a process that is in the group, too, and blocks everything.
///
/// The kernel sends to a group from its newest member to its oldest, so what the launcher has got is pending there already.
final class GroupWitness {
  private let stacks: UnsafeMutableRawPointer
  private var process: Int32
  private var usesSecondStack = false
  /// What the group was sent while a witness was replaced, and the launcher is about to get.
  private var unasked: UInt64 = 0

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

  /// Which of these signals, which the launcher has got, were sent to the whole group; a bit each from 1 on.
  func sentToGroup(_ received: UInt64) -> UInt64 {
    var seen = unasked | Self.pending(of: process)
    if seen != unasked { seen |= replace() }
    unasked = seen & ~received
    return seen & received
  }

  /// Puts a new witness in the place of this one, so that nothing is pending, and says what had come for the old one by
  /// the time that the new one was there.
  private func replace() -> UInt64 {
    usesSecondStack.toggle()
    let successor = cordon_witness_start(stacks + (usesSecondStack ? 2 : 1) * Self.stackSize)
    guard successor > 0 else { return 0 }
    let last = Self.pending(of: process)
    cordon_witness_end(process)
    process = successor
    return last
  }

  private static func pending(of process: Int32) -> UInt64 {
    ["ShdPnd:", "SigPnd:"].reduce(0) { pending, name in
      pending | (StatusFile.field(name, of: process).flatMap { UInt64($0, radix: 16) } ?? 0)
    }
  }
}
