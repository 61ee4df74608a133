public import FilterCompiler

/// What a profile file says: which code gets which disposition, and what is decided besides.
///
/// The format is described in Filters/README.md. Code may be named by module; ``regionMap(finding:)`` turns the names into
/// ranges.
public struct Profile: Sendable {
  /// Code as a profile names it.
  enum Code: Hashable, Sendable {
    case range(AddressRange)
    /// A module, a glob, `exe`, `vdso` or `anonymous`.
    case named(String)
  }

  /// One entry of a region's code.
  struct Entry: Sendable {
    let code: Code
    let place: ProfileText.Place
    let disposition: Disposition
    /// Of the code that has the name, only that in writable mappings, or only that in others.
    let writable: Bool?
    /// Whether there may be no such code.
    let isOptional: Bool
  }

  /// A range that stands in the profile.
  struct Gap: Sendable {
    let range: AddressRange
    let place: ProfileText.Place
  }

  let text: ProfileText
  /// The machine whose code it is.
  public let architecture: Architecture
  /// What becomes of calls from code that the profile does not name.
  public let defaultDisposition: Disposition
  /// What a filter decides besides the instruction pointer.
  public let options: CompileOptions
  let entries: [Entry]
  let dontCare: [Gap]

  /// Whether any code is named by module, so that a process is needed to find it in.
  public var namesModules: Bool {
    entries.contains { entry in
      if case .named = entry.code { true } else { false }
    }
  }

  /// The names of the modules that have to be there.
  package var requiredModules: [String] {
    entries.compactMap { entry in
      if case .named(let name) = entry.code, !entry.isOptional { name } else { nil }
    }
  }

  /// What becomes of calls, by region and by default.
  package var dispositions: [Disposition] { [defaultDisposition] + entries.map(\.disposition) }
}
