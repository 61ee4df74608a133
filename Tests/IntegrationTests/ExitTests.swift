import Cordon
import Glibc
import Testing

/// The first thing in every exit test: a hang ends with SIGALRM, and no signal is blocked (the test runs on a thread of
/// libdispatch's, which blocks most of them).
func begin(seconds: UInt32 = 900) {
  alarm(seconds)
  var mask = sigset_t()
  sigemptyset(&mask)
  pthread_sigmask(SIG_SETMASK, &mask, nil)
}

/// Says what was thrown: an error thrown in an exit test is not told.
func told<Result>(_ body: () throws(SessionError) -> Result) throws(SessionError) -> Result {
  do throws(SessionError) {
    return try body()
  } catch {
    Issue.record("thrown: \(error)")
    throw error
  }
}

/// The lines of a file of /proc, without their ends; none where it cannot be read.
func linesOfFile(_ path: String) -> [String] {
  guard let file = fopen(path, "r") else { return [] }
  defer { fclose(file) }
  var lines: [String] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while buffer.withUnsafeMutableBytes({ fgets($0.baseAddress!, Int32($0.count), file) }) != nil {
    lines.append(String(decoding: buffer.prefix { $0 != 0 && $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
  return lines
}
