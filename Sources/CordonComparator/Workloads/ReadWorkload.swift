import Glibc

/// An untrapped read(2) of 64 bytes by libc: a small call that does something.
package struct ReadWorkload: CallWorkload {
  package let name = "read"
  package let summary = "read(2) of 64 bytes of /dev/zero by libc, not trapped"

  package init() {}

  package func perform(_ operations: Int, _ guest: borrowing Guest) {
    let file = open("/dev/zero", O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 16) { buffer in
      for _ in 0..<operations { _ = read(file, buffer.baseAddress, 64) }
    }
  }
}
