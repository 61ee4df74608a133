import CLinux
import FilterCompiler
import Glibc
import Testing

/// A running `cat` under seccomp filters.
struct FilteredProcess: ~Copyable {
  /// What the thread that starts it leaves behind.
  private final class Outcome: @unchecked Sendable {
    var process: LiveProcess?
    var id: pid_t?
    var failure: (any Error)?
  }

  private struct Refusal: Error {
    let result: Int
  }

  private let outcome = Outcome()
  let id: pid_t

  /// Starts it under these filters, the first one loaded first. A filter stays with a thread and what it starts, so it is
  /// started by a thread of its own.
  init(_ programs: [Program]) throws {
    let thread = OwnThread { [outcome] in
      do {
        _ = linux_call(Int(SYS_prctl), 38, 1, 0, 0, 0, 0)  // PR_SET_NO_NEW_PRIVS
        for program in programs { try Self.load(program) }
        let process = try LiveProcess()
        outcome.id = process.id
        outcome.process = consume process
      } catch {
        outcome.failure = error
      }
    }
    thread.join()
    if let failure = outcome.failure { throw failure }
    id = try #require(outcome.id)
  }

  /// Whether it does its work.
  func echoes() throws -> Bool { try outcome.process?.echoes() ?? false }

  private static func load(_ program: Program) throws {
    /// `struct sock_fprog`.
    struct AttachedProgram {
      let length: UInt16
      let instructions: UnsafePointer<Instruction>?
    }
    let result = program.instructions.withUnsafeBufferPointer { instructions in
      var attached = AttachedProgram(length: UInt16(instructions.count), instructions: instructions.baseAddress)
      return withUnsafeMutablePointer(to: &attached) {
        linux_call(Int(SYS_seccomp), 1, 0, Int(bitPattern: $0), 0, 0, 0)
      }
    }
    guard result == 0 else { throw Refusal(result: result) }
  }
}

/// A thread that nothing else runs on.
struct OwnThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private let thread: pthread_t

  init(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(Body(run)).toOpaque())
    precondition(result == 0, "pthread_create: \(result)")
    self.thread = thread
  }

  func join() { pthread_join(thread, nil) }
}
