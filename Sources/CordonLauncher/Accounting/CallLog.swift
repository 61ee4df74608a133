import AgentInterface
import FilterCompiler
import Glibc
package import SystemPackage

/// The log: one JSON object a line for each call.
package struct CallLog {
  private let descriptor: FileDescriptor
  private let path: String
  /// Whether nobody else writes to the file.
  private let isOwn: Bool
  /// How many bytes have been written.
  private var length: Int64 = 0
  private var buffer: [UInt8] = []
  private var names: [UInt16: [UInt8]] = [:]
  private var modules: [Int: [UInt8]] = [:]
  /// Why nothing is written any more.
  private(set) var failure: Errno?

  private static let flushSize = 1 << 18

  /// - Parameters:
  ///   - descriptor: of a file that is open for writing; it stays open.
  ///   - isOwn: whether the file was empty and nobody else writes to it.
  package init(path: String, descriptor: FileDescriptor, isOwn: Bool) {
    self.path = path
    self.isOwn = isOwn
    self.descriptor = descriptor
    buffer.reserveCapacity(Self.flushSize + 4096)
  }

  mutating func append(
    _ record: CordonRecord, _ table: [CordonModule], _ moduleNames: ModuleNames, _ clock: TickClock, _ rate: Double
  ) {
    guard failure == nil else { return }
    let address = CallSite.address(ofKey: record.key)
    let call = UInt16(truncatingIfNeeded: record.key)
    let hasModule = record.module != 0 && Int(record.module) <= table.count
    append("{\"start_ns\":")
    append(UInt64(Double(clock.sinceStart(record.began)) * rate))
    append(",\"pid\":")
    append(UInt64(UInt32(bitPattern: record.process)))
    append(",\"tid\":")
    append(UInt64(UInt32(bitPattern: record.thread)))
    if hasModule {
      let module = table[Int(record.module) - 1]
      append(",\"module\":")
      buffer += moduleText(Int(module.name), moduleNames)
      append(",\"offset\":\"0x")
      appendHexadecimal(address &- module.start &+ module.file_offset)
      append("\"")
    } else {
      append(",\"module\":null,\"offset\":\"0x")
      appendHexadecimal(address)
      append("\"")
    }
    append(",\"call\":")
    buffer += callText(call)
    append(",\"arguments\":[")
    let arguments = record.arguments
    for (index, argument) in [
      arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5,
    ].enumerated() {
      append(index == 0 ? "\"0x" : ",\"0x")
      appendHexadecimal(argument)
      append("\"")
    }
    append("],\"result\":")
    if record.has_result != 0 {
      if record.result < 0 { append("-") }
      append(record.result.magnitude)
      append(",\"duration_ns\":")
      append(UInt64(Double(record.ended &- record.began) * rate))
    } else {
      append("null,\"duration_ns\":null")
    }
    append("}\n")
    if buffer.count >= Self.flushSize { flush() }
  }

  /// Writes what is there. A log that cannot be written is given up, and the program runs on.
  mutating func flush() {
    guard failure == nil, !buffer.isEmpty else { return }
    do {
      length += Int64(try descriptor.writeAll(buffer))
    } catch {
      failure = error as? Errno ?? .ioError
      if isOwn { cutToWholeLines() }
      Message.say("\(path) cannot be written: \(failure ?? .ioError); the program runs on without a log")
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Takes off the last line where only a part of it could be written, as on a full disk. What is no file has no length.
  private func cutToWholeLines() {
    guard let end = try? descriptor.seek(offset: 0, from: .current), end > length else { return }
    let written = buffer.prefix(Int(end - length))
    let whole = written.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    try? descriptor.resize(to: length + Int64(whole))
  }

  private mutating func append(_ text: StaticString) {
    buffer.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func append(_ number: UInt64) {
    var rest = number
    let start = buffer.count
    repeat {
      buffer.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest != 0
    buffer[start...].reverse()
  }

  private mutating func appendHexadecimal(_ number: UInt64) {
    var shift = max(0, (63 - number.leadingZeroBitCount) / 4 * 4)
    while shift >= 0 {
      let digit = UInt8(number >> UInt64(shift) & 15)
      buffer.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      shift -= 4
    }
  }

  private mutating func callText(_ call: UInt16) -> [UInt8] {
    if let text = names[call] { return text }
    let text = Array(JSONText.string(CallSite.name(ofCall: call)).text.utf8)
    names[call] = text
    return text
  }

  private mutating func moduleText(_ index: Int, _ moduleNames: ModuleNames) -> [UInt8] {
    if let text = modules[index] { return text }
    let text = Array(JSONText.string(moduleNames[index].path).text.utf8)
    modules[index] = text
    return text
  }
}
