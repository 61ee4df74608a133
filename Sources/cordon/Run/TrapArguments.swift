import CordonLauncher
import FilterCompiler

/// The values of `--trap`.
enum TrapArguments {
  /// What is to be trapped; everything where nothing is named.
  static func selection(_ texts: [String], all: Bool) throws(CommandFailure) -> CodeSelection {
    if texts.isEmpty || all { return CodeSelection([.all]) }
    var targets: [CodeSelection.Target] = []
    for text in texts { targets.append(try target(text)) }
    return CodeSelection(targets)
  }

  private static func target(_ text: String) throws(CommandFailure) -> CodeSelection.Target {
    switch text {
    case "": throw .usage("--trap", "a name is missing", remedy: "see `cordon help run`")
    case "all": return .all
    case "exe": return .exe
    case "anonymous": return .anonymous
    case "jit": return .jit
    case "vdso": return .vdso
    default:
      guard CodePlaces.isMeantAsRange(text) else { return .module(text) }
      return .range(try CodePlaces.range(text, "--trap"))
    }
  }

  /// The text that stands for a target.
  static func text(_ target: CodeSelection.Target) -> String {
    switch target {
    case .all: "all"
    case .exe: "exe"
    case .anonymous: "anonymous"
    case .jit: "jit"
    case .vdso: "vdso"
    case .range(let range): range.description
    case .module(let glob): glob
    }
  }
}
