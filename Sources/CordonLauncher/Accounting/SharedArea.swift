import AgentInterface
import Glibc
import LauncherShims
import SystemPackage

/// The memory that the agents of one program share with this process: of the process that executed it, and of all that it
/// has forked off since.
final class SharedArea {
  let area: UnsafeMutablePointer<CordonAgentArea>
  /// By which agents name it.
  let number: UInt32
  private let descriptor: Int32
  private var reader = RecordReader()
  /// The place in the table that was given to another module last.
  private var lastReplaced = -1

  /// Makes an area and gives it to the thread that waits for an answer.
  init(answering notification: CordonNotification, number: UInt32, _ listener: borrowing Listener) throws(Errno) {
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
    self.number = number
    descriptor = Int32(made)
    area = memory.assumingMemoryBound(to: CordonAgentArea.self)
    area.pointee.number = number
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
  /// - Parameter elsewhere: which of the instructions judge the calls of code that is in no module.
  func write(_ instructions: [CordonPolicyInstruction], elsewhere: Range<Int>) {
    for (index, instruction) in instructions.enumerated() {
      cordon_area_policy(area, UInt64(index)).pointee = instruction
    }
    area.pointee.elsewhere_policy_start = UInt32(elsewhere.lowerBound)
    area.pointee.elsewhere_policy_length = UInt32(elsewhere.count)
  }

  /// Whether the calls of code that is in no module are judged as the module's are.
  func judgesElsewhere(as module: CordonModule) -> Bool {
    module.policy_length == 0 && area.pointee.elsewhere_policy_length == 0
      || module.policy_start == area.pointee.elsewhere_policy_start
        && UInt32(module.policy_length) == area.pointee.elsewhere_policy_length
  }

  /// Adds to the table what code a process has mapped. What has been there before, in this process or another, is in its old
  /// place, so that the sites in it are its own still. Once the table is full, the module that is asked about takes the place
  /// of one that no site is in.
  /// - Parameter address: of the call that asks.
  /// - Returns: the answer to CORDON_QUESTION_MODULE.
  func add(_ modules: [CordonModule], asked address: UInt64) -> UInt64 {
    let known = self.modules
    var asked: Int?
    var new: [CordonModule] = []
    for module in modules {
      if module.start <= address, address < module.end {
        asked = known.firstIndex { $0.isSame(as: module) } ?? place(module, of: known)
      } else if !known.contains(where: { $0.start <= module.start && module.end <= $0.end }) {
        new.append(module)
      }
    }
    let first = max(known.count, (asked ?? -1) + 1)
    let room = Int(CORDON_AREA_MODULES) - first
    for (index, module) in new.prefix(room).enumerated() { write(module, at: first + index) }
    let count = min(new.count, room)
    cordon_area_publish_modules(area, UInt32(first + count))
    return UInt64((asked ?? -1) + 1) | UInt64(first) << 16 | UInt64(count) << 32
  }

  /// Gives a module a place of its own; nil where there is none.
  private func place(_ module: CordonModule, of known: [CordonModule]) -> Int? {
    var index: Int? = known.count
    if known.count >= Int(CORDON_AREA_MODULES) {
      let used = modulesWithSites
      let next = lastReplaced + 1
      index = (next..<next + known.count).lazy.map { $0 % known.count }.first { !used.contains($0) }
      lastReplaced = index ?? lastReplaced
    }
    guard let index else { return nil }
    write(module, at: index)
    return index
  }

  private func write(_ module: CordonModule, at index: Int) {
    let entry = entry(index)
    cordon_module_take_place(entry)
    var module = module
    module.turn = cordon_module_turn(entry)
    entry.pointee = module
  }

  private func entry(_ index: Int) -> UnsafeMutablePointer<CordonModule> { cordon_area_module(area, UInt64(index)) }

  private var modulesWithSites: Set<Int> {
    var used: Set<Int> = []
    forEachSite { site, _ in used.insert(Int(site.module) - 1) }
    return used
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

  enum CallStage {
    /// It has not returned, and, once the program has ended, never will.
    case open
    /// It has returned, and nobody has taken note of it yet.
    case returned
    /// It is counted as returned, and its record is being left; once the program has ended, it never will be.
    case noted
  }

  /// The calls whose records are not all left yet.
  func forEachCall(_ body: (CordonCall, CallStage) -> Void) {
    for index in 0..<UInt64(cordon_area_calls_end(area)) {
      let call = cordon_area_call(area, index)
      switch Int(cordon_call_state(call)) {
      case CordonCallDone: body(call.pointee, .returned)
      case CordonCallOpen: body(call.pointee, .open)
      case CordonCallNoted: body(call.pointee, .noted)
      default: break
      }
    }
  }

  /// Takes the records that are complete out of the ring.
  /// - Parameter isFinal: whether nobody writes any more.
  /// - Returns: with `isFinal`, how many records were begun and will never be complete.
  func takeRecords(isFinal: Bool, _ body: (borrowing CordonRecord) -> Void) -> Int {
    reader.take(from: area, at: MonotonicTime.now(), isFinal: isFinal, body)
  }
}

extension CordonModule {
  /// Whether it is the same code of the same file at the same addresses, and treated alike.
  fileprivate func isSame(as other: CordonModule) -> Bool {
    start == other.start && end == other.end && file_offset == other.file_offset && name == other.name
      && traps == other.traps && is_writable == other.is_writable && policy_start == other.policy_start
      && policy_length == other.policy_length
  }
}
