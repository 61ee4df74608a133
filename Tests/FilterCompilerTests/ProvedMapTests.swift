import FilterCompiler
import TestSupport
import Testing

/// Whatever is made smaller stays right: random maps and options of every shape and machine, proved for every call.
@Suite struct ProvedMapTests {
  @Test(arguments: MapShape.allCases, Architecture.allCases)
  func everyFilterIsProvedEqualToItsMap(shape: MapShape, architecture: Architecture) throws {
    var generator = SeededGenerator(seed: 0x9_0f ^ architecture.instructionLength)
    for count in [0, 1, 2, 3, 4, 6, 9, 14, 25, 60] {
      for dontCare in [false, true] {
        let map = RegionMap.random(
          shape, count: count, dontCare: dontCare, architecture: architecture, using: &generator)
        let options = CompileOptions.random(for: architecture, using: &generator)
        let program = try map.compile(options)
        let difference = try Prover.difference(FilterStack([program]), RegionSpecification(map, options))
        try #require(difference == nil, "\(map) \(options)")
      }
    }
  }
}

extension CompileOptions {
  /// Stages as chance has them.
  static func random(for architecture: Architecture, using generator: inout SeededGenerator) -> CompileOptions {
    var options = CompileOptions()
    if Bool.random(using: &generator) {
      options.checkedArchitectures = [AuditArchitecture(architecture), .i386].shuffled(using: &generator)
      options.checkedArchitectures?.removeLast(Int.random(in: 0...1, using: &generator))
    }
    let numbers = (0..<400 as Range<UInt32>).shuffled(using: &generator)
    options.allowedNumbers = Array(numbers.prefix(Int.random(in: 0...60, using: &generator)))
    options.globalTrapNumbers = Array(numbers.suffix(Int.random(in: 0...10, using: &generator)))
    options.trapData = UInt16.random(in: 0...3, using: &generator)
    if Bool.random(using: &generator) {
      let start = UInt64.random(in: 0..<1 << 46, using: &generator)
      options.gate = try? AddressRange(start: start, end: start + 0x2000)
    }
    return options
  }
}
