package import TrapEngine

extension CordonPatience {
  /// A thread answers as soon as it runs in user mode, or its call can be interrupted, with the signal open by which it is
  /// asked. libc blocks that for some microseconds, and as long as a program takes to be loaded that posix_spawn(3) executes.
  ///
  /// On a machine with a hundred threads a processor that all want to run, or one of the lowest priority beside some of the
  /// highest, each gets its turn within some seconds.
  package static let usual = CordonPatience(silent_ms: 2_000, starved_ms: 30_000)
}
