import FilterCompiler
import FoundationEssentials

/// The JSON of `cordon cost --json`: `cordon.cost/1`.
struct CostDocument: Encodable {
  private struct Path: Encodable {
    var shortest: Int
    var longest: Int
    var average: Double
    var ways: Double
  }

  private struct Filter: Encodable {
    var file: String
    var instructions: Int
    var ebpf: Int
    var path: Path
    /// How many instructions a call runs through on average, where weights are given.
    var weighted: Double?
  }

  private struct Cached: Encodable {
    var named: Int
    var cached: [String]
  }

  private var schema = "cordon.cost/1"
  private var filters: [Filter]
  /// Of all filters together.
  private var ebpf: Int
  private var ebpf_budget = FilterStack.translatedBudget
  private var shortest_path: Int
  private var longest_path: Int
  private var allow_bitmap: [String: Cached]

  init(_ cost: StackCost) {
    filters = cost.filters.map { filter in
      Filter(
        file: filter.name, instructions: filter.instructions, ebpf: filter.translated,
        path: Path(
          shortest: filter.path.shortest, longest: filter.path.longest, average: filter.path.average,
          ways: filter.path.ways),
        weighted: filter.expected)
    }
    ebpf = cost.translated
    (shortest_path, longest_path) = cost.path
    allow_bitmap = [:]
    for cached in cost.cached {
      allow_bitmap["\(cached.architecture)"] = Cached(named: cached.named, cached: cached.names)
    }
  }

  func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}
