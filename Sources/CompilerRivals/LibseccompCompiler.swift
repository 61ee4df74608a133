import CLibSeccomp
package import FilterCompiler

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What libseccomp itself makes of a set of calls.
package enum LibseccompCompiler {
  /// How it lays the calls out (`SCMP_FLTATR_CTL_OPTIMIZE`).
  package enum Optimization: UInt32, CaseIterable, Sendable {
    /// By priority, one after the other.
    case priority = 1
    /// A binary tree of single numbers.
    case tree = 2
  }

  /// The filter for a set of calls; nil where the library fails. It turns x32 calls away by itself.
  package static func compile(_ set: CallSet, _ optimization: Optimization) -> Program? {
    guard let context = seccomp_init(CallSet.refusal.rawValue) else { return nil }
    defer { seccomp_release(context) }
    // The library adds its own machine's architecture by itself.
    let machine = AuditArchitecture.x86_64.rawValue
    if seccomp_arch_exist(context, machine) != 0 {
      guard seccomp_arch_add(context, machine) == 0, seccomp_arch_remove(context, seccomp_arch_native()) == 0 else {
        return nil
      }
    }
    let attributes = [
      seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, CallSet.otherArchitecture.rawValue),
      seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, optimization.rawValue),
    ]
    guard attributes.allSatisfy({ $0 == 0 }) else { return nil }
    for number in set.allowed {
      guard seccomp_rule_add_array(context, Action(.allow).rawValue, CInt(number), 0, nil) == 0 else { return nil }
    }
    return exported(context)
  }

  private static func exported(_ context: scmp_filter_ctx) -> Program? {
    guard let file = tmpfile() else { return nil }
    defer { fclose(file) }
    guard seccomp_export_bpf(context, fileno(file)) == 0 else { return nil }
    rewind(file)
    var bytes = [UInt8](repeating: 0, count: Program.maximumLength * 8 + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    return try? Program(raw: Array(bytes[..<count]))
  }
}
