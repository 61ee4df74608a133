import CLinux
import Glibc
import SystemPackage

/// A thread that is held still by ptrace(2), and goes on when its owner ends.
///
/// Nothing in it changes: it is seized, so no signal is sent to it, and a signal that arrives meanwhile is passed on. If
/// this process is killed, the kernel lets it go on as well.
struct TracedProcess: ~Copyable {
  private static let seize = 0x4206
  private static let interrupt = 0x4207
  private static let detach = 17
  /// `PTRACE_SECCOMP_GET_FILTER` (Linux 4.4).
  private static let getFilter = 0x420c
  /// `__WALL`: threads too, whatever signal tells of their end.
  private static let anyChild: Int32 = 0x4000_0000

  private let id: Int32
  /// The signal that arrived instead of the stop that was asked for; it is delivered on the way out.
  private let signal: Int32

  /// Stops a thread.
  ///
  /// - Throws: what the kernel answers: `.noSuchProcess` also where it ended before it stopped.
  init(_ id: Int32) throws(Errno) {
    _ = try Self.request(Self.seize, id, 0, 0)
    do throws(Errno) {
      signal = try Self.stop(id)
    } catch {
      _ = try? Self.request(Self.detach, id, 0, 0)
      throw error
    }
    self.id = id
  }

  /// Waits until a seized thread stands still; the signal that is about to be delivered to it, or 0.
  private static func stop(_ id: Int32) throws(Errno) -> Int32 {
    _ = try request(interrupt, id, 0, 0)
    var status: Int32 = 0
    while waitpid(id, &status, anyChild) < 0 {
      guard errno == EINTR else { throw Errno(rawValue: errno) }
    }
    guard status & 0xff == 0x7f else { throw .noSuchProcess }
    // An event has its number above the signal.
    return status >> 16 == 0 ? status >> 8 & 0xff : 0
  }

  /// The filter `index`, 0 the oldest, as an array of `struct sock_filter`; nil where there are no more.
  ///
  /// - Throws: what the kernel answers, `.permissionDenied` without CAP_SYS_ADMIN.
  func filter(_ index: Int) throws(Errno) -> [UInt8]? {
    do throws(Errno) {
      let count = try Self.request(Self.getFilter, id, index, 0)
      var bytes = [UInt8](repeating: 0, count: count * 8)
      let result = bytes.withUnsafeMutableBytes { buffer in
        linux_call(Int(SYS_ptrace), Self.getFilter, Int(id), index, Int(bitPattern: buffer.baseAddress), 0, 0)
      }
      guard result == count else { throw Errno(rawValue: CInt(-result)) }
      return bytes
    } catch .noSuchFileOrDirectory {
      return nil
    }
  }

  private static func request(_ request: Int, _ id: Int32, _ address: Int, _ data: Int) throws(Errno) -> Int {
    let result = linux_call(Int(SYS_ptrace), request, Int(id), address, data, 0, 0)
    guard result >= 0 else { throw Errno(rawValue: CInt(-result)) }
    return result
  }

  deinit { _ = try? Self.request(Self.detach, id, 0, Int(signal)) }
}
