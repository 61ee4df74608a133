import FilterCompiler
import Foundation

/// What was found, so that it can be repeated: the least filter that shows it, the call as `cordon check` takes it, and
/// the number that the case comes from.
struct FuzzReport: CustomStringConvertible {
  let description: String

  /// Writes the filter and the profile that it is made of to the folder for temporary files.
  init(_ fuzzed: FuzzedCase, _ difference: FuzzedCase.Difference) throws {
    let least = fuzzed.reduced(difference)
    let folder = FileManager.default.temporaryDirectory
    let (profile, filter) = (
      folder.appending(path: "cordon-fuzz-\(fuzzed.seed).yaml"),
      folder.appending(path: "cordon-fuzz-\(fuzzed.seed).bpf")
    )
    try Data(least.profile.utf8).write(to: profile)
    try Data(fuzzed.compile(least).encoded()).write(to: filter)
    let call = difference.call
    var words = [
      "cordon", "check", filter.path, "--nr", "\(call.number)", "--ip", hexadecimal(call.instructionPointer),
      "--arch", "\(call.architecture)",
    ]
    for (index, value) in call.arguments.enumerated() { words += ["--arg", "\(index)=\(hexadecimal(value))"] }
    description = """
      \(difference.judge.name) says \(difference.verdict), and \(difference.expected) is right:
        \(words.joined(separator: " "))
        cordon prove \(filter.path) \(profile.path)
      The profile is
      \(least.profile)
      Repeat it with CORDON_FUZZ_SEED=\(fuzzed.seed) CORDON_FUZZ_CASES=1 for code of \(least.architecture).
      """
  }
}
