import Glibc
import SystemPackage
import Testing

/// How a program that was executed under `cordon run` gets its agent, where there is little to get it with.
extension RunFaultTests {
  private static let mechanisms = ["--all", "--all --mechanism sud"]

  /// A folder with a program that needs no loader.
  private func folderWithProgram() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try await Compiler.build("int main(void) { return 7; }", as: "seven", in: folder.path, ["-static"])
    return folder
  }

  /// What the kernel says of its own code lies above them on the stack, pages away.
  @Test(arguments: mechanisms)
  func argumentsAndEnvironmentMayBeLong(_ option: String) async throws {
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      i=0; while [ $i -lt 3000 ]; do export "V$i=value"; i=$((i+1)); done
      for i in 3000 3001; do
        export "V$i=value"
        "$cordon" run \(option) -- sh -c 'env | grep -c "^V[0-9]*=value"; exec sh -c "echo \\$#" "$@"' $(seq 20000)
      done
      "$cordon" run \(option) -- env -i /bin/sh -c 'exec /bin/sh -c "echo \\$#" "$@"' $(seq 20000)
      """, in: folder.path)
    #expect(outcome.output == "3001\n19998\n3002\n19998\n19998\n", "\(outcome.error)")
  }

  /// A limit on descriptors that is reached keeps no program from its agent, and stays what it was.
  @Test(arguments: mechanisms)
  func noDescriptorIsLeft(_ option: String) async throws {
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try await folderWithProgram()
    let outcome = try await CordonBinary.shell(
      """
      "$cordon" run \(option) -- sh -c 'ulimit -S -n 3; exec ./seven'; echo $?
      "$cordon" run \(option) -- sh -c 'ulimit -S -n 40; exec sh -c "ulimit -S -n"'
      """, in: folder.path)
    #expect(outcome.output == "7\n40\n", "\(outcome.error)")
  }

  /// A program that has too little address space for its agent is ended, and why is said.
  @Test func noAddressesAreLeft() async throws {
    let folder = try await folderWithProgram()
    let outcome = try await CordonBinary.shell(
      """
      for limit in $(seq 600 100 5000); do "$cordon" run --all -- sh -c "ulimit -v $limit; exec ./seven"; echo $?; done
      """, in: folder.path)
    let statuses = outcome.output.split(separator: "\n")
    #expect(statuses.count == 45 && statuses.last == "7")
    #expect(Set(statuses).isSubset(of: ["7", "70", "137", "139"]), "\(statuses)")
    #expect(
      outcome.error.contains("is ended: the agent has no room in its new program: Cannot allocate memory"),
      "\(outcome.error)")
  }

  /// Where no file may be as large as the agent's, that is said.
  @Test func filesMayNotGrow() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell("ulimit -f 100; \"$cordon\" run --all -- /bin/true", in: folder.path)
    #expect(outcome.status == 69, "\(outcome.error)")
    #expect(outcome.error.contains("File too large\nsee `ulimit -f`"), "\(outcome.error)")
  }

  /// A filter of the program's own lets it execute programs by one call and no other: the agent is asked for by that one.
  @Test(arguments: mechanisms)
  func theProgramForbidsItselfOtherCalls(_ option: String) async throws {
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try await folder()
    let outcome = try await CordonBinary.shell(
      "exec \"$cordon\" run \(option) -- ./refuse 322 \(EPERM) sh -c '/bin/echo ran; exit 3'", in: folder.path)
    #expect(outcome.output == "ran\n" && outcome.status == 3, "\(outcome.error)")
  }
}
