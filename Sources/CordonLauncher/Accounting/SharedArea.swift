import AgentInterface
import Glibc
import LauncherShims
import SystemPackage

/// The memory that the agents of one program share with this process: of the process that executed it, and of all that it
/// has forked off since.
final class SharedArea {
  let area: UnsafeMutablePointer<CordonAgentArea>
  /// The process that executed the program.
  let process: Int32
  private let descriptor: Int32

  /// Makes an area and gives it to the thread that waits for an answer.
  init(answering notification: CordonNotification, process: Int32, _ listener: borrowing Listener) throws(Errno) {
    var given: Int32 = -1
    let made = cordon_shared_memory(UInt64(CORDON_AREA_SIZE), &given)
    guard made >= 0 else { throw Errno(rawValue: Int32(-made)) }
    let size = Int(CORDON_AREA_SIZE)
    let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, Int32(made), 0)
    defer { close(given) }
    guard let memory, memory != MAP_FAILED else {
      let error = Errno(rawValue: errno)
      close(Int32(made))
      throw error
    }
    self.process = process
    descriptor = Int32(made)
    area = memory.assumingMemoryBound(to: CordonAgentArea.self)
    let answered = cordon_listener_give(listener.descriptor, notification.id, given)
    guard answered == 0 else { throw Errno(rawValue: Int32(-answered)) }
  }

  deinit {
    munmap(area, Int(CORDON_AREA_SIZE))
    close(descriptor)
  }

  /// Whether no process has it any more.
  var isLeft: Bool { cordon_shared_memory_is_left(descriptor) != 0 }

  /// Writes the programs of policies, before any module has one.
  func write(_ instructions: [CordonPolicyInstruction]) {
    for (index, instruction) in instructions.enumerated() {
      cordon_area_policy(area, UInt64(index)).pointee = instruction
    }
  }

  /// Adds modules to the table, as far as it has room.
  func append(_ modules: [CordonModule]) {
    var count = area.pointee.modules
    for module in modules where count < UInt32(CORDON_AREA_MODULES) {
      cordon_area_module(area, UInt64(count)).pointee = module
      count += 1
    }
    cordon_area_publish_modules(area, count)
  }

  /// The modules so far.
  var modules: [CordonModule] {
    (0..<UInt64(area.pointee.modules)).map { cordon_area_module(area, $0).pointee }
  }

  /// The sites that have called.
  func forEachSite(_ body: (CordonSite, _ index: UInt64) -> Void) {
    for index in 0..<UInt64(cordon_area_sites(area)) {
      let site = cordon_area_site(area, index)
      if site.pointee.key != 0 { body(site.pointee, index) }
    }
  }

  /// The calls that nobody has taken note of yet: those that have returned, and, once the program has ended, those that
  /// never will.
  func forEachCall(_ body: (CordonCall, _ hasReturned: Bool) -> Void) {
    for index in 0..<UInt64(cordon_area_calls_end(area)) {
      let call = cordon_area_call(area, index)
      switch Int(cordon_call_state(call)) {
      case CordonCallDone: body(call.pointee, true)
      case CordonCallOpen: body(call.pointee, false)
      default: break
      }
    }
  }

  /// Takes the records that are complete out of the ring.
  /// - Parameter isFinal: whether one that was never completed, since its process was killed, is passed over.
  func takeRecords(isFinal: Bool, _ body: (borrowing CordonRecord) -> Void) {
    let written = cordon_area_written(area)
    var place = area.pointee.read
    while place < written {
      let record = cordon_area_record(area, place)
      if cordon_record_sequence(record) == place + 1 {
        body(record.pointee)
      } else if !isFinal {
        break
      }
      place += 1
      // Programs that wait for room need not wait for all of it.
      if place.isMultiple(of: 64) { cordon_area_publish_read(area, place) }
    }
    cordon_area_publish_read(area, place)
  }
}
