import FilterCompiler
import SyscallPolicy

/// A kind of input, named for the verb that reads it.
enum Family: String, CaseIterable {
  case show, check, cost, prove, diff, compile

  /// Does with an input what the verb does, and stops where two answers contradict each other.
  func feed(_ bytes: [UInt8]) {
    var input = FuzzedInput(bytes)
    switch self {
    case .show: input.program().map(Self.show)
    case .check:
      let call = input.call()
      input.program().map { Self.check($0, call) }
    case .cost: input.program().map(Self.cost)
    case .prove:
      let specification = input.specification()
      input.program(provable: !Self.isHard(bytes.first)).map { Self.prove($0, specification) }
    case .diff:
      let isProvable = !Self.isHard(bytes.last)
      var first = FuzzedInput(input.bytes(Int(input.byte()) * 8))
      guard let left = first.program(provable: isProvable), let right = input.program(provable: isProvable) else {
        return
      }
      Self.diff(left, right)
    case .compile: Self.compile(String(decoding: bytes, as: UTF8.self))
    }
  }

  /// Whether a program may have products and quotients, whose proofs are given up after a second or two: one of 64 inputs.
  private static func isHard(_ byte: UInt8?) -> Bool { (byte ?? 0) & 0x3f == 5 }

  private static let disassembler = Disassembler { SyscallNames.name(of: $0, on: $1) }

  private static func show(_ program: Program) {
    let lines = disassembler.lines(of: program)
    require(lines.count == program.instructions.count, "every instruction has its line")
    require((try? Program(raw: program.encoded())) == program, "what is written is read again")
    require(!JSONFormat(disassembler: disassembler).text(of: program).isEmpty)
    require(CSourceFormat(disassembler: disassembler)?.text(of: program).isEmpty == false)
    // Pictures of thousands of instructions take their time, and nobody looks at them.
    guard program.instructions.count <= 256 else { return }
    require(!DOTFormat(disassembler: disassembler).text(of: program).isEmpty)
    require(!SVGFormat(disassembler: disassembler).text(of: program).isEmpty)
  }

  private static func check(_ program: Program, _ call: SeccompData) {
    let (action, path) = program.evaluate(call)
    require(path.first == 0 && zip(path, path.dropFirst()).allSatisfy { $0 < $1 }, "ways lead forward")
    let lengths = program.pathLengths
    require(lengths.shortest <= path.count && path.count <= lengths.longest, "no way is shorter or longer")
    let (once, twice) = (FilterStack([program]).evaluate(call), FilterStack([program, program]).evaluate(call))
    require(once.action == twice.action, "a filter twice decides as once")
    let lines = disassembler.lines(of: program)
    require(path.allSatisfy { lines[$0].comment != "never reached" }, "what is executed is reached")
    if FilterStack([program]).isCached(call.number, on: call.architecture) {
      require(action == Action(.allow), "the kernel caches what is allowed")
    }
  }

  private static func cost(_ program: Program) {
    let lengths = program.pathLengths
    require(lengths.shortest >= 1 && lengths.longest <= program.instructions.count, "no way is longer")
    let bounds = Double(lengths.shortest) - 0.01...Double(lengths.longest) + 0.01
    require(bounds.contains(lengths.average), "the average \(lengths) is between")
    require(lengths.ways >= 1, "there is a way")
    require(program.translatedLength > program.instructions.count, "eBPF is longer")
    for architecture in AuditArchitecture.known {
      for number in UInt32(0)..<32 { _ = FilterStack([program]).isCached(number, on: architecture) }
    }
  }

  private static func prove(_ program: Program, _ specification: RegionSpecification) {
    let stack = FilterStack([program])
    guard let found = try? Prover.difference(stack, specification) else { return }
    require(found.left != found.right, "\(found)")
    require(stack.evaluate(found.call).action == found.left, "\(found)")
    // What the specification says is what its compiled filter does.
    guard let compiled = try? specification.map.compile(specification.options) else { return }
    require(FilterStack([compiled]).evaluate(found.call).action == found.right, "\(found)")
  }

  private static func diff(_ left: Program, _ right: Program) {
    let (first, second) = (FilterStack([left]), FilterStack([right]))
    do {
      guard let found = try Prover.difference(first, second) else {
        for call in probes(left, right) {
          require(first.evaluate(call).action == second.evaluate(call).action, "\(call)")
        }
        return
      }
      require(found.left != found.right, "\(found)")
      require(first.evaluate(found.call).action == found.left, "\(found)")
      require(second.evaluate(found.call).action == found.right, "\(found)")
    } catch {
      require(!"\(error)".isEmpty)
    }
  }

  /// Calls made of the constants that two programs compare with.
  private static func probes(_ left: Program, _ right: Program) -> [SeccompData] {
    let constants = (left.instructions + right.instructions).prefix(64).map(\.k)
    return constants.indices.map { index in
      func value(_ step: Int) -> UInt32 { constants[(index + step) % constants.count] }
      func wide(_ step: Int) -> UInt64 { UInt64(value(step)) << 32 | UInt64(value(step + 1)) }
      return SeccompData(
        nr: value(0), arch: AuditArchitecture(rawValue: value(1)), instructionPointer: wide(2),
        args: (0..<6).map { wide($0 * 2) })
    }
  }

  private static func compile(_ text: String) {
    do {
      let profile = try Profile(yaml: text, file: "fuzzed")
      let map = try profile.regionMap { name throws(CodeNameError) in
        // Code that a process might have; every name is another place.
        guard !name.name.hasPrefix("missing") else {
          throw CodeNameError(problem: "there is none", remedy: nil, isAbsence: true)
        }
        let start = name.name.utf8.reduce(UInt64(0x1000)) { ($0 &* 31 &+ UInt64($1)) & 0x7fff_ffff } << 13
        guard let range = try? AddressRange(start: start, end: start + 0x1000) else { return [] }
        return [range]
      }
      let program = try map.compile(profile.options)
      show(program)
      // What cannot be proved in reasonable time and space is said, and is no mistake.
      let difference = try? Prover.difference(FilterStack([program]), RegionSpecification(map, profile.options))
      require(difference == nil, "\(String(describing: difference))")
    } catch {
      let words = "\(error)"
      require(!words.isEmpty)
      if let error = error as? ProfileError {
        require(!error.problem.contains("\n") && error.line >= 1 && error.column >= 1, words)
      }
    }
  }
}

/// Stops where something that always holds does not. (A failed `precondition` has no words in a release build.)
private func require(_ condition: Bool, _ problem: @autoclosure () -> String = "a text is empty") {
  if !condition { fatalError(problem()) }
}
