import AgentInterface
package import FilterCompiler
import Glibc

/// The agent as it is written into a program: its bytes, and what lies where in them.
package struct AgentImage: Sendable {
  /// The bytes, from the base on.
  package private(set) var bytes: [UInt8]
  let start: UInt64
  let call: UInt64
  let load: UInt64
  let loaded: UInt64

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
    start = UInt64(header.start)
    call = UInt64(header.call)
    load = UInt64(header.load)
    loaded = UInt64(header.loaded)
  }

  /// The image with what the agent of a program has to know in its header.
  func bytes(entry: UInt64, supervisor: Int32, duties: Int, arena: AddressRange?, inherited: UInt64) -> [UInt8] {
    var bytes = bytes
    bytes.withUnsafeMutableBytes { bytes in
      var header = bytes.loadUnaligned(as: CordonAgentHeader.self)
      header.entry = entry
      header.supervisor = Int64(supervisor)
      header.duties = UInt32(duties)
      header.arena_start = arena?.start ?? 0
      header.arena_end = arena?.end ?? 0
      header.inherited = inherited
      bytes.storeBytes(of: header, as: CordonAgentHeader.self)
    }
    return bytes
  }
}
