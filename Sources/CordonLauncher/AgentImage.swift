import AgentInterface
package import FilterCompiler
import TrapEngine

/// The agent that programs are given: its bytes, and what lies where in them.
package struct AgentImage: Sendable {
  /// The bytes, from the base on.
  package private(set) var bytes: [UInt8]
  /// How many of them every program has a use for. Behind them is what threads need that somebody traces.
  package let size: Int
  let start: UInt64
  let call: UInt64
  let load: UInt64
  let loaded: UInt64
  /// The code that a program begins with, which maps the agent.
  let birth: [UInt8]

  /// How much of the address space the image and the gate's code take, in bytes.
  static let span = Int(CORDON_AGENT_EXEMPT_END)

  /// Where the image and the gate lie that calls always pass from, once the agent has the base `base`.
  package static func exemptRange(base: UInt64) throws(RegionError) -> AddressRange {
    try AddressRange(start: base, end: base + UInt64(CORDON_AGENT_EXEMPT_END))
  }

  /// The image that was built with this launcher.
  package init() {
    let letters = EmbeddedAgent.letters
    bytes = letters.withUTF8Buffer { letters in
      [UInt8](unsafeUninitializedCapacity: letters.count / 2) { bytes, count in
        count = letters.count / 2
        for index in 0..<count {
          bytes[index] = (letters[2 * index] &- 97) << 4 | (letters[2 * index + 1] &- 97)
        }
      }
    }
    let header = bytes.withUnsafeBytes { $0.loadUnaligned(as: CordonAgentHeader.self) }
    assert(header.magic == CORDON_AGENT_MAGIC && header.end <= CORDON_AGENT_IMAGE_LIMIT)
    size = Int(header.end)
    start = UInt64(header.start)
    call = UInt64(header.call)
    load = UInt64(header.load)
    loaded = UInt64(header.loaded)
    birth = Array(bytes[Int(header.birth)..<Int(header.birth_end)])
  }

  /// Writes the image, with what the agent has to know in its header, and the gate's code.
  /// - Parameter memory: ``span`` bytes, all of them zero.
  func write(
    to memory: UnsafeMutableRawPointer, supervisor: Int32, duties: Int, arena: AddressRange?, inherited: UInt64
  ) {
    memory.copyMemory(from: bytes, byteCount: bytes.count)
    var header = memory.load(as: CordonAgentHeader.self)
    header.supervisor = Int64(supervisor)
    header.duties = UInt32(duties)
    header.arena_start = arena?.start ?? 0
    header.arena_end = arena?.end ?? 0
    header.inherited = inherited
    memory.storeBytes(of: header, as: CordonAgentHeader.self)
    cordon_gate_write(memory + Int(CORDON_AGENT_GATE))
  }
}
