import CLibSeccomp
import FilterCompiler
import Glibc
import SyscallPolicy
import Testing

/// Filters that other compilers wrote are read, shown, run, compared and proved as those compilers meant them.
@Suite struct ForeignFilterTests {
  private static let refusal = Action(.errno, data: UInt16(EPERM))
  private static let disassembler = Disassembler { SyscallNames.name(of: $0, on: $1) }
  /// `SCMP_ARCH_X86` and `SCMP_ARCH_X32`.
  private static let others: [UInt32] = [AuditArchitecture.i386.rawValue, 0x4000_003e]

  /// getppid fails with EPERM, and ioctl where the lowest byte of its second argument is 0x54; the rest is allowed.
  private func filter() throws -> Program {
    let filter = try ForeignFilter(Action(.allow))
    try filter.rule("getppid", Self.refusal)
    try filter.rule("ioctl", Self.refusal, [scmp_arg_cmp(arg: 1, op: SCMP_CMP_MASKED_EQ, datum_a: 0xff, datum_b: 0x54)])
    return try filter.program()
  }

  @Test func itIsRunAsItWasMeant() throws {
    let program = try filter()
    func answer(_ name: String, _ argument: UInt64 = 0) throws -> Action {
      let number = try #require(SyscallNames.number(of: name, on: AuditArchitecture(.host)))
      return program.evaluate(SeccompData(nr: number, args: [0, argument, 0, 0, 0, 0])).action
    }
    #expect(try answer("getppid") == Self.refusal)
    #expect(try answer("getpid") == Action(.allow))
    #expect(try answer("ioctl", 0x1_0000_1254) == Self.refusal)
    #expect(try answer("ioctl", 0x5400) == Action(.allow))
  }

  @Test func itIsShownWithTheNamesOfItsCalls() throws {
    let text = Self.disassembler.text(of: try filter())
    #expect(text.contains("arch != \(Architecture.host)"))
    #expect(text.contains("nr == getppid") || text.contains("nr != getppid"))
    #expect(text.contains("(arg1.low & 0xff) == 0x54") || text.contains("(arg1.low & 0xff) != 0x54"), "\(text)")
  }

  // MARK: Filters of the shapes that are in use

  /// Like those of container runtimes: several hundred calls of three tables allowed, some by their arguments, one refused
  /// as if there were none.
  private func container(asTree: Bool) throws -> Program {
    let filter = try ForeignFilter(Self.refusal, and: Self.others, asTree: asTree)
    let special: Set = ["personality", "socket", "clone", "clone3", "mount", "ptrace", "reboot", "kexec_load", "bpf"]
    for name in (0..<UInt32(340)).compactMap({ SyscallNames.name(of: $0, on: .x86_64) }) where !special.contains(name) {
      try filter.rule(name, Action(.allow))
    }
    for value: UInt64 in [0, 8, 0x20000, 0x20008, 0xffff_ffff] {
      try filter.rule(
        "personality", Action(.allow), [scmp_arg_cmp(arg: 0, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)])
    }
    try filter.rule("socket", Action(.allow), [scmp_arg_cmp(arg: 0, op: SCMP_CMP_NE, datum_a: 40, datum_b: 0)])
    try filter.rule(
      "clone", Action(.allow), [scmp_arg_cmp(arg: 0, op: SCMP_CMP_MASKED_EQ, datum_a: 0x7e02_0000, datum_b: 0)])
    try filter.rule("clone3", Action(.errno, data: UInt16(ENOSYS)))
    return try filter.program()
  }

  @Test func aListAndATreeOfTheSameRulesAreProvedEqual() throws {
    let (list, tree) = try (FilterStack([container(asTree: false)]), FilterStack([container(asTree: true)]))
    #expect(list.programs != tree.programs)
    #expect(try Prover.difference(list, tree) == nil)
    // One rule less, among more than a thousand, is found.
    let less = try ForeignFilter(Self.refusal, and: Self.others)
    try less.rule("read", Action(.allow))
    let found = try #require(try Prover.difference(list, FilterStack([less.program()])))
    #expect(list.evaluate(found.call).action == found.left && found.left != found.right)
  }

  @Test func aContainersFilterIsShownAndPriced() throws {
    let program = try container(asTree: false)
    let text = Self.disassembler.text(of: program)
    #expect(text.contains("if (nr == read) goto ") && text.contains("if (nr == x32:read) goto "))
    #expect(text.contains("arch == i386") && text.contains("(arg0.low & 0x7e020000) == 0x0"), "\(text.prefix(4000))")
    let stack = FilterStack([program])
    #expect(stack.isCached(0, on: .x86_64) && !stack.isCached(41, on: .x86_64), "socket's argument is looked at")
    #expect(stack.isCached(3, on: .i386), "read(2) of i386")
    let lengths = program.pathLengths
    #expect(lengths.shortest < 10 && lengths.longest > 300 && lengths.longest < program.instructions.count)
  }

  /// Like those of systemd: a filter for each table that lets others alone, several of them in a row.
  @Test func aServicesStackIsProvedAsAWhole() throws {
    func refusing(_ names: [String]) throws -> Program {
      let filter = try ForeignFilter(Action(.allow))
      for name in names { try filter.rule(name, Self.refusal) }
      return try filter.program()
    }
    let names = ["mount", "umount2", "reboot", "kexec_load", "ptrace", "settimeofday", "init_module"]
    let stack = FilterStack(try names.map { try refusing([$0]) })
    #expect(try Prover.difference(stack, FilterStack([refusing(names)])) == nil)
    let found = try #require(try Prover.difference(stack, FilterStack([refusing(Array(names.dropLast()))])))
    #expect(found.call.number == SyscallNames.number(of: "init_module", on: AuditArchitecture(.host)))
    #expect(found.left == Self.refusal && found.right == Action(.allow))
  }

  // MARK: What no compiler of today writes

  private func program(_ operations: [Operation]) throws -> FilterStack {
    FilterStack([try Program(operations.map(\.instruction))])
  }

  /// Flags are picked out by shifts and masks, kept in memory, and compared through X.
  @Test func arithmeticMemoryAndTheIndexRegisterAreFollowed() throws {
    let clever = try program([
      .loadData(.argumentLow(2)), .compute(.shiftRight, .constant(1)), .store(.accumulator, 3),
      .load(.index, .constant(1)), .loadData(.number), .branch(.equal, .constant(9), jt: 1, jf: 0),
      .answer(Action(.allow)), .load(.accumulator, .memory(3)), .compute(.exclusiveOr, .index),
      .compute(.and, .constant(3)), .copyToIndex, .load(.accumulator, .constant(2)),
      .branch(.equal, .index, jt: 0, jf: 1), .answer(Self.refusal), .answer(Action(.allow)),
    ])
    // Bits 1 and 2 of mmap's third argument: PROT_WRITE and PROT_EXEC together.
    let plain = try program([
      .loadData(.number), .branch(.equal, .constant(9), jt: 0, jf: 4), .loadData(.argumentLow(2)),
      .compute(.and, .constant(6)), .branch(.equal, .constant(6), jt: 0, jf: 1), .answer(Self.refusal),
      .answer(Action(.allow)),
    ])
    #expect(try Prover.difference(clever, plain) == nil)
    let text = Self.disassembler.text(of: clever.programs[0])
    #expect(text.contains("M[3] = A") && text.contains("A ^= X"), "\(text)")
  }

  /// What the reasoning does not cover is said with the place, even between a filter and itself, and never taken for yes.
  @Test(arguments: [
    (Operation.compute(.multiply, .index), 2), (.compute(.divide, .index), 2), (.compute(.shiftLeft, .index), 2),
    (.answerAccumulator, 2),
  ])
  func whatIsNotCoveredIsNoYes(operation: Operation, place: Int) throws {
    let stack = try program([.loadData(.argumentLow(0)), .copyToIndex, operation, .answer(Action(.allow))])
    let error = #expect(throws: ProofError.self) { try Prover.difference(stack, stack) }
    #expect(error?.filter == 0 && error?.instruction == place, "\(String(describing: error))")
    #expect("\(try #require(error))".contains("offset \(8 * place)"), "\(String(describing: error))")
  }
}
