import CordonComparator

/// Which of the programs are there that `cordon compare` runs.
enum ProgramFacts {
  static func all() -> [Fact] {
    let programs = RealProgram.all.map { ($0.name, $0.executable) } + [("strace", StraceMechanism().executable)]
    return programs.map { name, executable in
      .check(
        "program.\(name)", name, value: executable, reason: executable == nil ? "it is not installed" : nil,
        remedy: "apt-get install \(packages[name] ?? name)")
    }
  }

  /// Debian's packages, where they are called otherwise.
  private static let packages = ["find": "findutils", "gofmt": "golang-go"]
}
