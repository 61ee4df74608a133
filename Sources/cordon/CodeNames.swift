import Cordon
import FilterCompiler

/// Which modules the code belongs to that a command line or a profile named by module, so that messages can name it too.
final class CodeNames {
  private var modules: [(range: AddressRange, module: String)] = []

  /// Keeps what was found in a process.
  func note(_ ranges: [AddressRange], in map: ProcessMap) {
    for range in ranges {
      guard let mapping = map.mappings.first(where: { $0.range.contains(range.start) }) else { continue }
      modules.append((range, Self.module(mapping)))
    }
  }

  private static func module(_ mapping: ProcessMap.Mapping) -> String {
    switch mapping.origin {
    case .file(let path, _): mapping.name ?? path
    case .anonymous(let name?): "anonymous code '\(name)'"
    case .anonymous(nil): "anonymous code"
    case .special(let name): name
    }
  }

  /// A region as a user knows it: by its modules, with their addresses where code of one module is in several regions; or
  /// by its addresses alone, where it was given by those.
  func words(_ region: AddressRange) -> String {
    var names: [String] = []
    for (range, module) in modules where region.overlaps(range) && !names.contains(module) { names.append(module) }
    return names.isEmpty ? "\(region)" : "\(names.joined(separator: " and ")) (\(region))"
  }
}
