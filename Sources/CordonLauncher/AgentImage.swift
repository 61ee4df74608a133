import AgentInterface
package import FilterCompiler
import SystemPackage
import TrapEngine

/// The agent that programs are given: what of it is where.
package struct AgentImage: Sendable {
  /// How many bytes every program has a use for. Behind them is what threads need that somebody traces.
  package let size: Int
  let start: UInt64
  let call: UInt64
  let load: UInt64
  let loaded: UInt64
  private let birth: Range<Int>

  /// How much of the address space the image and the gate's code take, in bytes.
  static let span = Int(CORDON_AGENT_EXEMPT_END)

  /// How many bytes the image has.
  static var length: Int { EmbeddedAgent.words.count * 8 }

  /// Where the image and the gate lie that calls always pass from, once the agent has the base `base`.
  package static func exemptRange(base: UInt64) throws(RegionError) -> AddressRange {
    try AddressRange(start: base, end: base + UInt64(CORDON_AGENT_EXEMPT_END))
  }

  /// The image that was built with this launcher.
  package init() {
    let header = Self.header
    assert(header.magic == CORDON_AGENT_MAGIC && header.end <= CORDON_AGENT_IMAGE_LIMIT)
    size = Int(header.end)
    start = UInt64(header.start)
    call = UInt64(header.call)
    load = UInt64(header.load)
    loaded = UInt64(header.loaded)
    birth = Int(header.birth)..<Int(header.birth_end)
  }

  private static var header: CordonAgentHeader {
    EmbeddedAgent.words.withUnsafeBytes { $0.loadUnaligned(as: CordonAgentHeader.self) }
  }

  /// The code that a program begins with, which maps the agent.
  func withBirth<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    EmbeddedAgent.words.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[birth])) }
  }

  /// Writes the image, with what the agent has to know in its header, and the gate's code: ``span`` bytes from `offset` on.
  ///
  /// They are written by calls: a fault for each page takes three times as long, and nothing can be written and executed.
  /// - Throws: the errno of pwrite(2).
  func write(
    to file: borrowing MemoryFile, at offset: Int = 0, supervisor: Int32, duties: Int, arena: AddressRange?,
    inherited: UInt64
  ) throws(Errno) {
    let words = EmbeddedAgent.words
    try file.write(words.span.bytes, at: offset)
    var header = Self.header
    header.supervisor = Int64(supervisor)
    header.duties = UInt32(duties)
    header.arena_start = arena?.start ?? 0
    header.arena_end = arena?.end ?? 0
    header.inherited = inherited
    try withUnsafeBytes(of: header) { (header) throws(Errno) in try file.write(header.bytes, at: offset) }
    try Self.writeGate(to: file, at: offset + Int(CORDON_AGENT_GATE))
  }

  private static func writeGate(to file: borrowing MemoryFile, at gate: Int) throws(Errno) {
    let limit = Int(CORDON_GATE_PART_LIMIT)
    let code = UnsafeMutableRawBufferPointer.allocate(byteCount: limit, alignment: 8)
    defer { code.deallocate() }
    var (number, offset) = (0 as UInt32, 0 as UInt64)
    while case let size = cordon_gate_part(number, code.baseAddress!, &offset), size > 0 {
      try file.write(UnsafeRawBufferPointer(rebasing: code[..<Int(size)]).bytes, at: gate + Int(offset))
      number += 1
    }
  }
}
