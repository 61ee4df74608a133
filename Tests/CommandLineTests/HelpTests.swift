import Subprocess
import SystemPackage
import Testing

@testable import cordon

/// What `cordon help` and shells say of the verbs.
@Suite struct HelpTests {
  /// What is too long for a line of 80 columns would go on at the left margin of the next one, where nobody can copy it.
  @Test(arguments: EntryPoint.verbs)
  func examplesAndListsKeepTheirLines(verb: String) async throws {
    let outcome = try await CordonBinary.run("help", verb)
    #expect(outcome.status == 0 && outcome.error.isEmpty)
    var (isList, examples) = (false, 0)
    for line in outcome.lines {
      if ["Examples:", "Mechanisms:", "Workloads:"].contains(line) {
        isList = true
      } else if line.isEmpty {
        isList = false
      } else if isList {
        #expect(line.hasPrefix("  ") && line.count <= 80, "\(line)")
        if line.hasPrefix("  cordon \(verb) ") || line == "  cordon \(verb)" || line.contains(" | cordon \(verb) ") {
          examples += 1
        }
      }
    }
    #expect(examples > 0)
  }

  @Test func theVersionIsOneLine() async throws {
    let outcome = try await CordonBinary.run("--version")
    #expect(outcome.status == 0 && outcome.lines.count == 2, "\(outcome.error)")
    #expect(outcome.output.wholeMatch(of: #/cordon \d+\.\d+\.\d+\n/#) != nil, "\(outcome.output)")
  }

  /// In the completion script's words, which bash has: what it would offer at the end of a command line.
  @Test(arguments: [
    ("comp", "compile\ncompare\n"), ("show fil", "filter.bpf\n"), ("compile fil", "filter.bpf\n"),
    ("compile --attached fil", "filter.bpf\n"), ("run --log fil", "filter.bpf\n"), ("run fil", "filter.bpf\n"),
    ("compile -f r", "raw\n"), ("compare --mechanism sud-s", "sud-selector\n"), ("compare --workload sto", "storm\n"),
  ])
  func shellsCompleteFilesAndChoices(line: String, offered: String) async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write([], to: "filter.bpf")
    let script = """
      source <("$cordon" --generate-completion-script bash)
      COMP_LINE="cordon \(line)" COMP_WORDS=(cordon \(line)) COMP_POINT=${#COMP_LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      _cordon cordon "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let outcome = try await CordonBinary.run(
      "/bin/bash", ["-c", script], environment: ["cordon": CordonBinary.path.string], in: folder.path)
    #expect(outcome.output == offered, "\(outcome.error)")
  }
}
