import CLibSeccomp
import FilterCompiler
import Glibc
import SyscallPolicy
import Testing

/// A filter that another compiler wrote is read, shown and run as that compiler meant it.
@Suite struct ForeignFilterTests {
  /// getppid fails with EPERM, and ioctl where the lowest byte of its second argument is 0x54; the rest is allowed.
  private func filter() throws -> Program {
    let context = try #require(seccomp_init(Action(.allow).rawValue))
    defer { seccomp_release(context) }
    let refusal = Action(.errno, data: UInt16(EPERM)).rawValue
    let number = try #require(SyscallNames.number(of: "getppid", on: AuditArchitecture(.host)))
    try #require(seccomp_rule_add_array(context, refusal, CInt(number), 0, nil) == 0)
    let masked = scmp_arg_cmp(arg: 1, op: SCMP_CMP_MASKED_EQ, datum_a: 0xff, datum_b: 0x54)
    let control = try #require(SyscallNames.number(of: "ioctl", on: AuditArchitecture(.host)))
    try #require(seccomp_rule_add_array(context, refusal, CInt(control), 1, [masked]) == 0)

    let file = try #require(tmpfile())
    defer { fclose(file) }
    try #require(seccomp_export_bpf(context, fileno(file)) == 0)
    rewind(file)
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = fread(&bytes, 1, bytes.count, file)
    return try Program(raw: Array(bytes[..<count]))
  }

  @Test func itIsRunAsItWasMeant() throws {
    let program = try filter()
    func answer(_ name: String, _ argument: UInt64 = 0) throws -> Action {
      let number = try #require(SyscallNames.number(of: name, on: AuditArchitecture(.host)))
      return program.evaluate(SeccompData(nr: number, args: [0, argument, 0, 0, 0, 0])).action
    }
    let refusal = Action(.errno, data: UInt16(EPERM))
    #expect(try answer("getppid") == refusal)
    #expect(try answer("getpid") == Action(.allow))
    #expect(try answer("ioctl", 0x1_0000_1254) == refusal)
    #expect(try answer("ioctl", 0x5400) == Action(.allow))
  }

  @Test func itIsShownWithTheNamesOfItsCalls() throws {
    let text = Disassembler { SyscallNames.name(of: $0, on: $1) }.text(of: try filter())
    #expect(text.contains("arch != \(Architecture.host)"))
    #expect(text.contains("nr == getppid") || text.contains("nr != getppid"))
    #expect(text.contains("(arg1.low & 0xff) == 0x54") || text.contains("(arg1.low & 0xff) != 0x54"), "\(text)")
  }
}
