import AgentInterface
import Glibc
import SystemPackage

/// A program that is the agent at its base, and that becomes another program: what a thread executes that no tracer can give
/// an agent. See CordonLoadRecord.
struct LoaderFile: ~Copyable {
  private let file: MemoryFile

  /// - Parameters:
  ///   - start: the address of the first instruction.
  ///   - writeAgent: writes the agent to the file, from the offset on.
  init(
    base: UInt64, start: UInt64, writeAgent: (_ file: borrowing MemoryFile, _ offset: Int) throws(Errno) -> Void
  ) throws(Errno) {
    let file = try MemoryFile(size: Int(CORDON_LOADER_RECORD_OFFSET) + Int(CORDON_AGENT_RECORD_LIMIT))
    let header = Self.header(start: start, base: base)
    try file.write(header.span.bytes, at: 0)
    try writeAgent(file, Int(CORDON_LOADER_IMAGE_OFFSET))
    self.file = file
  }

  var descriptor: Int32 { file.descriptor }

  /// The ELF header, elf(5): the agent, the record, and a stack that is not executed.
  private static func header(start: UInt64, base: UInt64) -> [UInt8] {
    func segment(_ kind: UInt32, _ flags: UInt32, at offset: UInt64, to address: UInt64, size: UInt64) -> [UInt8] {
      words([kind, flags]) + words([offset, address, address, size, size, kind == 1 ? 4096 : 16])
    }
    let identification: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    return identification + words([2, 62] as [UInt16]) + words([1] as [UInt32])  // an executable for x86-64
      + words([start, 64, 0]) + words([0] as [UInt32]) + words([64, 56, 3, 64, 0, 0] as [UInt16])
      + segment(
        1, 5, at: UInt64(CORDON_LOADER_IMAGE_OFFSET), to: base, size: UInt64(AgentImage.span))
      + segment(
        1, 4, at: UInt64(CORDON_LOADER_RECORD_OFFSET), to: base + UInt64(CORDON_AGENT_RECORD),
        size: UInt64(CORDON_AGENT_RECORD_LIMIT))
      + segment(0x6474_e551, 6, at: 0, to: 0, size: 0)
  }

  private static func words<Word: FixedWidthInteger>(_ words: [Word]) -> [UInt8] {
    words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }
}
