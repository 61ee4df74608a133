import FilterCompiler
import Glibc
import SystemPackage
import Testing

@Suite struct CompileCommandTests {
  private let trap = ["compile", "--trap", "0x7f1234560000-0x7f1234570000"]

  @Test func textIsTheListing() async throws {
    let outcome = try await CordonBinary.run("compile", "--trap", "0x7f1234560000-0x7f1234570000")
    #expect(outcome.status == 0 && outcome.error.isEmpty)
    #expect(
      outcome.output == """
        0000: A = ip.high
        0001: if (ip >> 32 != 0x7f12) goto 0006
        0002: A = ip.low
        0003: if (ip < 0x7f1234560002) goto 0006
        0004: if (ip >= 0x7f1234570001) goto 0006     ; trap inside 0x7f1234560000-0x7f1234570000
        0005: return trap
        0006: return allow

        """)
  }

  @Test func rawIsWhatTheKernelTakes() async throws {
    var map = RegionMap(default: .trap)
    try map.insert(AddressRange(start: 0x1000, end: 0x2000), .allow)
    try map.insert(AddressRange(start: 0x5000, end: 0x6000), .trap)
    try map.insertDontCare(AddressRange(start: 0x2000, end: 0x3000))
    let outcome = try await CordonBinary.run(
      "compile", "--default", "trap", "--allow", "0x1000-0x2000", "--trap", "0x5000-0x6000", "--dont-care",
      "0x2000-0x3000", "-f", "raw", "-o", "-")
    #expect(outcome.status == 0)
    #expect(try Program(raw: outcome.bytes) == map.compile())
  }

  @Test func theShiftFollowsTheArchitecture() async throws {
    for (name, architecture) in [("aarch64", Architecture.aarch64), ("riscv64", .riscv64)] {
      var map = RegionMap(architecture: architecture, default: .allow)
      try map.insert(AddressRange(start: 0x1000, end: 0x2000), .trap)
      let outcome = try await CordonBinary.run(
        "compile", "--arch", name, "--trap", "0x1000-0x2000", "--format", "raw")
      #expect(try Program(raw: outcome.bytes) == map.compile())
    }
  }

  @Test func cCompilesToTheSameBytes() async throws {
    let folder = try TemporaryFolder()
    let arguments = ["--trap", "0x7f1234560000-0x7f1234570000", "--allow", "0x401000-0x402000", "--default", "allow"]
    let source = try await CordonBinary.run(
      CordonBinary.path, ["compile", "-f", "c", "-o", folder.file("filter.h")] + arguments)
    #expect(source.status == 0 && source.output.isEmpty)
    _ = try folder.write(Array("#include \"filter.h\"\n".utf8), to: "alone.c")
    _ = try folder.write(
      Array(
        """
        #include <linux/filter.h>
        #include <stdio.h>
        #include "filter.h"
        int main(void) { return fwrite(filter, 1, sizeof filter, stdout) == sizeof filter ? 0 : 1; }
        """.utf8), to: "print.c")
    let compiled = try await CordonBinary.shell(
      "CC=$(command -v gcc || command -v clang || command -v cc) || exit 99; "
        + "$CC -std=c11 -Wall -Wextra -Werror -c alone.c -o alone.o && "
        + "$CC -std=c11 -Wall -Wextra -Werror print.c -o print && ./print", in: folder.path)
    #expect(compiled.status == 0, "\(compiled.error)")
    let raw = try await CordonBinary.run(CordonBinary.path, ["compile", "-f", "raw"] + arguments)
    #expect(compiled.bytes == raw.bytes)
  }

  @Test func jsonNamesItsSchema() async throws {
    let outcome = try await CordonBinary.run("compile", "--trap", "0x1000-0x2000", "-f", "json")
    #expect(outcome.status == 0 && outcome.output.contains(#""schema": "cordon.filter/1""#))
    #expect(outcome.output.contains(#"{"start": "0x1000", "end": "0x2000", "disposition": "trap"}"#))
  }

  @Test func theDecisionsAreDrawn() async throws {
    let graph = try await CordonBinary.run("compile", "--trap", "0x7f1234560000-0x7f1234570000", "-f", "dot")
    #expect(graph.status == 0 && graph.output.hasPrefix("digraph filter {\n") && graph.output.hasSuffix("}\n"))
    let folder = try TemporaryFolder()
    let picture = try await CordonBinary.run(
      "compile", "--trap", "0x7f1234560000-0x7f1234570000", "-f", "svg", "-o", folder.file("filter.svg"))
    #expect(picture.status == 0 && picture.output.isEmpty)
    let text = String(decoding: try folder.read("filter.svg"), as: UTF8.self)
    #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
    #expect(text.contains(">trap 0x7f1234560000-0x7f1234570000</text>"))
  }

  @Test func modulesOfALiveProcessStandForTheirCode() async throws {
    let process = try LiveProcess()
    let outcome = try await CordonBinary.run(
      "compile", "--pid", "\(process.id)", "--default", "trap", "--allow", "libc.so*", "--allow", "vdso", "-f", "raw")
    #expect(outcome.status == 0, "\(outcome.error)")
    let program = try Program(raw: outcome.bytes)
    func answer(_ address: UInt64) -> Action {
      program.evaluate(SeccompData(nr: 39, instructionPointer: address + 2)).action
    }
    let allowed = try process.code(endingWith: "/libc.so.6") + process.code(endingWith: "[vdso]")
    let others = try process.code(endingWith: "/cat") + process.code(endingWith: "ld-linux-x86-64.so.2")
    #expect(allowed.count >= 2 && others.count >= 2)
    for (start, end) in allowed {
      #expect(answer(start) == Action(.allow) && answer(end - 2) == Action(.allow))
      #expect(answer(start - 1) == Action(.trap) && answer(end - 1) == Action(.trap))
    }
    for (start, end) in others { #expect(answer(start) == Action(.trap) && answer(end - 2) == Action(.trap)) }

    let exe = try await CordonBinary.run("compile", "--pid", "\(process.id)", "--trap", "exe", "-f", "json")
    for (start, end) in try process.code(endingWith: "/cat") {
      #expect(exe.output.contains(#""start": "\#(hexadecimal(start))", "end": "\#(hexadecimal(end))""#))
    }
  }

  @Test func manyRegionsAreCountedWhereTheyDoNotFit() async throws {
    let ranges = (1...1000).flatMap { index -> [String] in
      let start = UInt64(index) << 33 + UInt64(index) * 0x1000
      return ["--trap", "\(hexadecimal(start))-\(hexadecimal(start + 0x1000))"]
    }
    let outcome = try await CordonBinary.run(CordonBinary.path, ["compile"] + ranges)
    #expect(outcome.status == 65 && outcome.output.isEmpty)
    #expect(outcome.error.hasPrefix("cordon: compile: 1000 regions need "))
    #expect(outcome.error.contains(" more than the 4096 of a filter; the first "))
    // What to do about it.
    #expect(outcome.error.split(separator: "\n").last?.hasPrefix("merge the ") == true, "\(outcome.error)")
  }

  /// Options that nobody could have meant: 64.
  @Test(arguments: [
    ["compile"], ["compile", "--allow", "0x1000-0x2000"], ["compile", "--default", "trap"],
    ["compile", "--default", "trap", "--trap", "0x1000-0x2000"], ["compile", "--default", "maybe"],
    ["compile", "--trap", "0x1000"], ["compile", "--trap", "1000-2000"], ["compile", "--trap", "libc.so.6"],
    ["compile", "--trap"], ["compile", "--trap", "0x1000-0x2000", "-f", "png"],
    ["compile", "a.yaml", "b.yaml"],
    ["compile", "--trap", "0x1000-0x2000", "--arch", "i386"], ["compile", "--trap", "exe", "--pid", "0"],
    ["compile", "--trap", "exe", "--pid", "me"],
    ["compile", "--trap", "0x1000-0x2000", "--pid", "1", "--arch", "riscv64"],
    ["compile", "--no-such-option"],
  ])
  func wrongUsage(arguments: [String]) async throws { try await expectRefusal(arguments, status: 64) }

  /// Options that are understood, and name what is bad: 65.
  @Test(arguments: [
    (["compile", "--trap", "0x2000-0x1000"], "ends before it starts"),
    (["compile", "--trap", "0x1000-0x1000"], "empty"),
    (["compile", "--trap", "0x1000-0x1001"], "too short"),
    (["compile", "--trap", "0x7ffffffff000-0x800000000001"], "above user space"),
    (
      ["compile", "--trap", "0x1000-0x3000", "--allow", "0x2000-0x4000"], "0x2000-0x4000 contradicts trap 0x1000-0x3000"
    ),
    (["compile", "--trap", "0x1000-0x3000", "--dont-care", "0x2000-0x4000"], "don't care 0x2000-0x4000 contradicts"),
    (["compile", "--trap", "0x1000-0x2000", "-o", "/no/such/folder/filter"], "No such file or directory"),
    (["compile", "--trap", "0x1000-0x2000", "-o", "/"], "Is a directory"),
    (["compile", "/no/such/profile.yaml"], "No such file or directory"),
    (["compile", "/"], "Is a directory"),
    (["compile", "--pid", "2147483647", "--trap", "exe"], "there is no process 2147483647"),
  ])
  func badInput(arguments: [String], words: String) async throws {
    try await expectRefusal(arguments, status: 65, words)
  }

  @Test func aModuleThatIsNotThereIsRefusedWithThoseThatAre() async throws {
    let process = try LiveProcess()
    try await expectRefusal(
      ["compile", "--pid", "\(process.id)", "--trap", "libcc.so"], status: 65, "did you mean 'libc.so.6'")
  }

  @Test(.enabled(if: getuid() == 0 || ownerOfTheFirstProcess() != getuid(), "this user owns every process it can see"))
  func aProcessOfAnotherUserIsRefused() async throws {
    // Where the test runs as root, the command runs as somebody else, who may not get to where it was built.
    let folder = try TemporaryFolder()
    let copied = try await CordonBinary.shell("cp \"$cordon\" . && chmod 755 . cordon", in: folder.path)
    #expect(copied.status == 0)
    let outcome = try await CordonBinary.run(
      folder.path.appending("cordon"), ["compile", "--pid", "1", "--trap", "exe"], user: getuid() == 0 ? 65534 : nil)
    #expect(outcome.status == 65)
    #expect(outcome.error.hasPrefix("cordon: --pid: the memory map of process 1 may not be read\n"))
    #expect(outcome.error.contains("CAP_SYS_PTRACE"))
  }

  private func expectRefusal(_ arguments: [String], status: CInt, _ words: String = "") async throws {
    let outcome = try await CordonBinary.run(CordonBinary.path, arguments)
    #expect(outcome.status == status, "\(outcome.error)")
    #expect(outcome.output.isEmpty)
    let lines = outcome.error.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 3 && lines.last == "", "one line, and one with the remedy: \(outcome.error)")
    #expect(outcome.error.hasPrefix("cordon: ") && lines[0].split(separator: ": ").count >= 3, "\(outcome.error)")
    #expect(outcome.error.contains(words), "\(outcome.error)")
  }
}

/// Who runs the first process.
private func ownerOfTheFirstProcess() -> uid_t? {
  var status = stat()
  return stat("/proc/1", &status) == 0 ? status.st_uid : nil
}
