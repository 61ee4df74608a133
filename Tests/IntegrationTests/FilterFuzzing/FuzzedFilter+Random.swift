import FilterCompiler
import TestSupport

extension FuzzedFilter {
  /// A random one for code of `architecture`; one of twelve has policies, which take their time to compile.
  init(_ architecture: Architecture = .x86_64, withPolicies: Bool = true, using generator: inout SeededGenerator) {
    self.architecture = architecture
    var policies: [Disposition] = []
    if withPolicies, Int.random(in: 0..<12, using: &generator) == 0 {
      policies = ["first", "second"].compactMap { Self.policy($0, architecture, using: &generator) }
    }
    outside = Self.disposition(or: policies, using: &generator)
    addCode(or: policies, using: &generator)
    if Bool.random(using: &generator) { options = stages(using: &generator) }
  }

  private static func disposition(
    or policies: [Disposition] = [], using generator: inout SeededGenerator
  ) -> Disposition {
    if let policy = policies.randomElement(using: &generator), Bool.random(using: &generator) { return policy }
    return switch UInt8.random(in: 0..<10, using: &generator) {
    case 0..<4: .allow
    case 4..<7: .trap
    case 7: .trap(data: UInt16.random(in: 1...3, using: &generator))
    case 8: .errno(UInt16.random(in: 0...40, using: &generator))
    default: [.killProcess, .killThread, .log, .notify, .trace(9)].randomElement(using: &generator) ?? .log
    }
  }

  private mutating func addCode(or policies: [Disposition], using generator: inout SeededGenerator) {
    let most = Bool.random(using: &generator) ? 8 : 40
    let count = Int.random(in: 1...most, using: &generator)
    // From bytes to many 4 GiB lines, so that bounds share upper halves, lie on lines and cross them.
    let scale = UInt64(1) << UInt64.random(in: 4...38, using: &generator)
    let shortest = architecture.instructionLength
    var next = UInt64.random(in: 0x2_0000..<0x1000_0000_0000, using: &generator)
    if Bool.random(using: &generator) { next = max(next & ~0xffff_ffff, 0x2_0000) }
    if Int.random(in: 0..<30, using: &generator) == 0 { next = 0 }
    for _ in 0..<count {
      let length = UInt64.random(in: shortest...(scale + shortest), using: &generator)
      switch UInt8.random(in: 0..<4, using: &generator) {
      case 0: empty.append(Stretch(start: next, end: next + length))
      case 1: break
      default:
        let isOnLine = Bool.random(using: &generator)
        let end = isOnLine ? max((next + length) & ~0xffff_ffff, next + shortest) : next + length
        code.append((Stretch(start: next, end: end), Self.disposition(or: policies, using: &generator)))
        next = end
        continue
      }
      next += length
    }
  }

  private func stages(using generator: inout SeededGenerator) -> CompileOptions {
    var options = CompileOptions()
    if Bool.random(using: &generator) {
      // Without the map's own one too: then its numbers mean nothing.
      options.checkedArchitectures = AuditArchitecture.known.shuffled(using: &generator)
        .prefix(Int.random(in: 1...3, using: &generator)).map(\.self)
      options.otherArchitecture = Self.disposition(using: &generator)
    }
    var numbers: Set<UInt32> = []
    if Bool.random(using: &generator) {
      numbers = Self.numbers(using: &generator)
      options.allowedNumbers = numbers.sorted().shuffled(using: &generator)
    }
    if Bool.random(using: &generator) {
      options.globalTrapNumbers = Self.numbers(using: &generator).subtracting(numbers).sorted().shuffled(
        using: &generator)
      options.trapData = UInt16.random(in: 0...2, using: &generator)
    }
    if architecture == .x86_64, Bool.random(using: &generator) {
      if Bool.random(using: &generator) { options.x32 = Self.disposition(using: &generator) }
      let old = Self.numbers(using: &generator).filter { $0 < 1 << 30 }.sorted()
      if old.count > 1 {
        options.foreignAllowedNumbers = [.i386: Array(old[..<(old.count / 2)])]
        options.foreignTrapNumbers = [.i386: Array(old[(old.count / 2)...])]
      }
    }
    if Bool.random(using: &generator) {
      // By preference where it shares bounds with code, or overlaps them.
      let bounds = edges
      let start = (bounds.randomElement(using: &generator) ?? 0x1_0000) &+ UInt64.random(in: 0...4, using: &generator)
      let end = start &+ UInt64.random(in: architecture.instructionLength...0x2000, using: &generator)
      let other = bounds.first { $0 >= start + architecture.instructionLength }
      options.gate = try? AddressRange(start: start, end: Bool.random(using: &generator) ? other ?? end : end)
    }
    return options
  }

  /// Single numbers, runs of neighbours, and the outermost ones.
  private static func numbers(using generator: inout SeededGenerator) -> Set<UInt32> {
    var numbers: Set<UInt32> = []
    for _ in 0..<Int.random(in: 1...20, using: &generator) {
      let first = UInt32.random(in: 0..<460, using: &generator)
      switch UInt8.random(in: 0..<8, using: &generator) {
      case 0: numbers.formUnion(first...first + UInt32.random(in: 0...60, using: &generator))
      case 1: numbers.insert(0x4000_0000 | first)
      case 2: numbers.insert([0, 1, .max, .max - 1, 0x7fff_ffff].randomElement(using: &generator) ?? 0)
      default: numbers.insert(first)
      }
    }
    return numbers
  }

  /// All bounds of code, of empty space and of the gate.
  private var edges: [UInt64] {
    let gate = options.gate.map { [$0.start, $0.end] } ?? []
    return (code.flatMap { [$0.place.start, $0.place.end] } + empty.flatMap { [$0.start, $0.end] } + gate).sorted()
  }

  /// Calls around all that the filter compares with, those from one place after each other.
  func calls(count: Int, using generator: inout SeededGenerator) -> [SeccompData] {
    let edges = edges
    let foreignNumbers: [UInt32] =
      (options.foreignAllowedNumbers[.i386] ?? []) + (options.foreignTrapNumbers[.i386] ?? [])
    // A dictionary's order differs from run to run.
    let rules = policies.flatMap { policy in CallTable.allCases.flatMap { policy.tables[$0]?.rules ?? [] } }
    let chosen: [UInt32] = options.allowedNumbers + options.globalTrapNumbers + foreignNumbers + rules.map(\.number)
    let constants: [UInt64] = rules.flatMap { $0.conditions.flatMap(\.constants) }
    var values: [UInt64] = [0, 7, .max]
    for constant: UInt64 in constants {
      values += [constant, constant &+ 1, constant &- 1, constant ^ 0x1_0000_0000, constant ^ 0x8000_0000]
    }
    let length = architecture.instructionLength
    var calls: [SeccompData] = []
    while calls.count < count {
      let edge = edges.randomElement(using: &generator) ?? 0
      let isFar = UInt8.random(in: 0..<8, using: &generator) == 0
      let place = isFar ? UInt64.random(in: 0..<0x8000_0000_0000, using: &generator) : edge
      for _ in 0..<4 {
        var number = UInt32.random(in: 0..<480, using: &generator)
        if let near = chosen.randomElement(using: &generator), UInt8.random(in: 0..<4, using: &generator) > 0 {
          number = near &+ UInt32.random(in: 0...2, using: &generator) &- 1
        } else if UInt8.random(in: 0..<16, using: &generator) == 0 {
          number = UInt32.random(in: 0...(.max), using: &generator)
        }
        let own = AuditArchitecture(architecture)
        let isForeign = UInt8.random(in: 0..<6, using: &generator) == 0
        let foreign = AuditArchitecture.known.randomElement(using: &generator) ?? own
        let architecture = isForeign ? foreign : own
        // `int $0x80` has arguments of 32 bits.
        let widest: UInt64 = architecture == .i386 ? 0xffff_ffff : .max
        let reach = 3 + length
        calls.append(
          SeccompData(
            nr: number, arch: architecture,
            instructionPointer: place &+ length &+ UInt64.random(in: 0...2 * reach, using: &generator) &- reach,
            args: (0..<6).map { _ in (values.randomElement(using: &generator) ?? 0) & widest }))
      }
    }
    return calls
  }
}
