import CLibSeccomp
import FilterCompiler
import Glibc
import SyscallPolicy
import Testing

/// A filter as libseccomp compiles it for others: container runtimes, systemd, Tor, man-db.
final class ForeignFilter {
  private let context: scmp_filter_ctx

  /// A filter that answers `answer` where no rule says anything, for calls of the host and these other architectures.
  init(_ answer: Action, and others: [UInt32] = [], asTree: Bool = false) throws {
    context = try #require(seccomp_init(answer.rawValue))
    for token in others { try #require(seccomp_arch_add(context, token) == 0) }
    try #require(seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, asTree ? 2 : 1) == 0)
  }

  /// What becomes of a call whose arguments pass all tests. Calls that an architecture does not have are left out.
  func rule(_ name: String, _ action: Action, _ tests: [scmp_arg_cmp] = []) throws {
    let number = seccomp_syscall_resolve_name(name)
    try #require(number != __NR_SCMP_ERROR, "\(name)")
    let result = seccomp_rule_add_array(context, action.rawValue, number, UInt32(tests.count), tests)
    try #require(result == 0 || result == -EDOM, "\(name): \(result)")
  }

  func program() throws -> Program {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    try #require(seccomp_export_bpf(context, fileno(file)) == 0)
    rewind(file)
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = fread(&bytes, 1, bytes.count, file)
    return try Program(raw: Array(bytes[..<count]))
  }

  deinit { seccomp_release(context) }
}
