import FilterCompiler
import TestSupport

/// A random map and the stages before it, with the sentence that defines what becomes of a call.
struct FuzzedFilter {
  /// A stretch of addresses, half-open.
  struct Stretch: Hashable {
    let start: UInt64
    let end: UInt64

    /// Whether an instruction of `length` bytes at `address` lies wholly inside.
    func holds(_ address: UInt64, _ length: UInt64) -> Bool {
      (0..<length).allSatisfy { start <= address &+ $0 && address &+ $0 < end }
    }

    /// Whether the instruction has a byte inside.
    func touches(_ address: UInt64, _ length: UInt64) -> Bool {
      (0..<length).contains { start <= address &+ $0 && address &+ $0 < end }
    }
  }

  var architecture = Architecture.x86_64
  /// In ascending order, apart or touching.
  var code: [(place: Stretch, disposition: Disposition)] = []
  var empty: [Stretch] = []
  var outside: Disposition = .allow
  var options = CompileOptions()

  /// - Throws: what the compiler says against it.
  func compiled() throws -> Program { try map().compile(options) }

  func map() throws -> RegionMap {
    var map = RegionMap(architecture: architecture, default: outside)
    for (place, disposition) in code {
      try map.insert(AddressRange(start: place.start, end: place.end), disposition)
    }
    for place in empty { try map.insertDontCare(AddressRange(start: place.start, end: place.end)) }
    return map
  }

  /// What is to become of a call; nil where it cannot be made, because no code lies there.
  func verdict(on call: SeccompData) -> Action? {
    let own = call.architecture == AuditArchitecture(architecture)
    if let checked = options.checkedArchitectures, !checked.contains(call.architecture) {
      return Self.answer(of: options.otherArchitecture, to: call)
    }
    if let x32 = options.x32, call.architecture == .x86_64, call.number >> 30 == 1 {
      return Self.answer(of: x32, to: call)
    }
    let allowed = (own ? options.allowedNumbers : []) + (options.foreignAllowedNumbers[call.architecture] ?? [])
    if allowed.contains(call.number) { return Action(.allow) }
    let length = architecture.instructionLength
    let address = call.instructionPointer &- length
    // What would begin below address 0 is no instruction, and lies in no region.
    let exists = call.instructionPointer >= length
    if let gate = options.gate, exists, Stretch(start: gate.start, end: gate.end).holds(address, length) {
      return Action(.allow)
    }
    let trapped = (own ? options.globalTrapNumbers : []) + (options.foreignTrapNumbers[call.architecture] ?? [])
    if trapped.contains(call.number) { return Action(.trap, data: options.trapData) }
    guard exists else { return empty.contains { $0.start == 0 } ? nil : Self.answer(of: outside, to: call) }
    if empty.contains(where: { $0.touches(address, length) }) { return nil }
    // Regions of the same disposition that touch are one, so what counts is what each byte gets.
    let found = (0..<length).map { byte in code.first { $0.place.holds(address &+ byte, 1) }?.disposition }
    let alike = found.allSatisfy { $0 == found[0] }
    return Self.answer(of: alike ? found[0] ?? outside : outside, to: call)
  }
}
