import AgentInterface
import Cordon
import FilterCompiler
import Glibc
import LauncherShims
import SyscallPolicy
import SystemPackage

/// Keeps the books: hands areas to agents, tells them whose code lies where, and adds up what they have counted.
struct Accountant {
  private let selection: CodeSelection
  private let clock: TickClock
  private(set) var names = ModuleNames()
  private var areas: [SharedArea] = []
  /// How many there have been.
  private var areaCount: UInt32 = 0
  /// By process, the CordonCall of the call by which it executes a program, if that succeeds.
  private var executions: [Int32: (area: SharedArea, call: UInt64)] = [:]
  private var totals: [CallPlace: CallTotals] = [:]
  /// The targets of the selection that were found.
  private var found: Set<Int> = []
  /// The files of modules that were found where nothing traps.
  private var astray: Set<String> = []
  private(set) var lostCalls = 0
  private(set) var lostRecords = 0
  private(set) var unfinishedRecords = 0
  var log: CallLog?
  private var profile: RunProfile?
  private let startTime = MonotonicTime.now()

  init(_ selection: CodeSelection, clock: TickClock, log: CallLog?, profile: RunProfile?) {
    self.profile = profile
    self.selection = selection
    self.clock = clock
    self.log = log
  }

  /// Whether the log may have to be written soon.
  var isDue: Bool { log != nil && !areas.isEmpty }

  // MARK: - Questions

  /// Answers what an agent asks.
  mutating func answer(_ notification: CordonNotification, _ listener: borrowing Listener) {
    switch Int(notification.arguments.0) {
    case CORDON_QUESTION_AREA: giveArea(notification, listener)
    case CORDON_QUESTION_MODULE:
      let answer = addModules(at: notification.arguments.1, of: notification.thread, area(notification.arguments.2))
      _ = cordon_listener_answer(listener.descriptor, notification.id, Int64(answer))
    case CORDON_QUESTION_PLACE:
      let isWanted = isToBePlaced(notification)
      _ = cordon_listener_answer(listener.descriptor, notification.id, isWanted ? 1 : 0)
    default: listener.refuse(notification, .invalidArgument)
    }
  }

  /// Whether the file that an agent asks about, or one of those that its process has open, is of a module to be trapped.
  private mutating func isToBePlaced(_ notification: CordonNotification) -> Bool {
    let descriptor = Int32(truncatingIfNeeded: notification.arguments.1)
    let folder = "/proc/\(notification.thread)/fd"
    let descriptors = descriptor >= 0 ? [String(descriptor)] : KernelFile.names(in: folder)
    var isWanted = false
    for path in descriptors.compactMap({ MappedCode.link("\(folder)/\($0)") }) {
      let matching = selection.matches(path: path)
      guard !matching.isEmpty else { continue }
      isWanted = true
      found.formUnion(matching)
      if notification.arguments.2 != 0, astray.insert(path).inserted {
        Message.say("\(path) is mapped where its calls are not trapped; `--trap all` traps them, and all others")
      }
    }
    return isWanted
  }

  /// Takes note of a call that may execute a program.
  mutating func expectExecution(_ notification: CordonNotification) {
    guard !areas.isEmpty else { return }
    let (process, mark) = (StatusFile.process(of: notification.thread), notification.arguments.5)
    executions[process] = nil
    let isMarked = UInt32(truncatingIfNeeded: mark) & ~0xffff == UInt32(CORDON_AGENT_EXECUTES)
    guard isMarked, let area = area(mark >> 32) else { return }
    executions[process] = (area, mark & 0xffff)
  }

  /// The program that asks for an area is there: the call by which it was executed will not return.
  private mutating func closeExecution(by process: Int32) {
    guard let (area, index) = executions.removeValue(forKey: process) else { return }
    let call = cordon_area_call(area.area, index)
    guard cordon_call_state(call) == CordonCallOpen else { return }
    let site = cordon_area_site(area.area, UInt64(call.pointee.site)).pointee
    log?.append(
      CordonRecord(call.pointee, of: site, hasReturned: false), area.modules, names, clock, clock.nanosecondsPerTick())
    cordon_call_free(call)
  }

  private mutating func giveArea(_ notification: CordonNotification, _ listener: borrowing Listener) {
    closeExecution(by: notification.thread)
    closeAreas()
    areaCount += 1
    do {
      let area = try SharedArea(answering: notification, number: areaCount, listener)
      if let profile { area.write(profile.instructions, elsewhere: profile.programByDefault) }
      areas.append(area)
    } catch {
      listener.refuse(notification, error)
    }
  }

  /// Takes in the areas that nobody has any more.
  private mutating func closeAreas() {
    var open: [SharedArea] = []
    for area in areas {
      if area.isLeft { close(area) } else { open.append(area) }
    }
    areas = open
  }

  /// The area that an agent names.
  private func area(_ number: UInt64) -> SharedArea? { areas.first { $0.number == number } }

  private mutating func addModules(at address: UInt64, of thread: Int32, _ area: SharedArea?) -> UInt64 {
    guard let area else { return 0 }
    guard let map = MappedCode.map(of: thread) else {
      // Whoever may not trace it may not read what it has mapped either. Nobody can say what is to become of its calls.
      if profile != nil {
        end(thread, "whose code calls cannot be read (see PR_SET_DUMPABLE in prctl(2)), and a profile decides by that")
      }
      return 0
    }
    let regions: RegionMap?
    do {
      regions = try profile?.regionMap(for: map)
    } catch {
      end(thread, "\(error.place): \(error.problem)")
      return 0
    }
    let modules = map.mappings.flatMap { self.modules(of: $0, map, regions) }
    let answer = area.add(modules, asked: address)
    if answer & 0xffff == 0, let module = modules.first(where: { $0.start <= address && address < $0.end }),
      !area.judgesElsewhere(as: module)
    {
      end(thread, "it has called from more pieces of code than can be told apart, and a profile decides by them")
    }
    return answer
  }

  private func end(_ thread: Int32, _ problem: String) {
    Message.say("process \(thread) is ended: \(problem)")
    kill(thread, SIGKILL)
  }

  /// The parts of a mapping, each with what becomes of its calls.
  private mutating func modules(
    of mapping: ProcessMap.Mapping, _ map: ProcessMap, _ regions: RegionMap?
  ) -> [CordonModule] {
    let matching = selection.matches(mapping, executable: map.executable)
    found.formUnion(matching)
    let (name, offset) =
      switch mapping.origin {
      case .file(let path, _): (names.index(path: path, isFile: true), mapping.fileOffset)
      case .special(let special): (names.index(path: "[\(special)]", isFile: false), 0 as UInt64)
      case .anonymous: (names.index(path: "[anonymous]", isFile: false), 0)
      }
    let cuts = regions?.regions.flatMap { [$0.range.start, $0.range.end] } ?? []
    return selection.parts(of: mapping.range, alsoAt: cuts).map { part in
      let ranges = selection.rangesHolding(part.start)
      found.formUnion(ranges)
      var module = CordonModule()
      module.start = part.start
      module.end = part.end
      module.file_offset = offset + (part.start - mapping.range.start)
      module.name = UInt32(name)
      module.is_writable = mapping.isWritable ? 1 : 0
      module.traps = matching.isEmpty && ranges.isEmpty ? 0 : 1
      if let profile, let regions {
        let disposition = regions.regions.first { $0.range.contains(part.start) }?.disposition
        let program = profile.program(of: disposition ?? regions.defaultDisposition)
        module.policy_start = UInt32(program.lowerBound)
        module.policy_length = UInt16(program.count)
      }
      return module
    }
  }

  // MARK: - Books

  /// Writes the records that have come in.
  mutating func writeLog() {
    guard log != nil else { return }
    let rate = clock.nanosecondsPerTick()
    for area in areas { _ = writeRecords(of: area, rate, isFinal: false) }
    log?.flush()
  }

  /// Returns how many were begun and will never be complete, with `isFinal`.
  private mutating func writeRecords(of area: SharedArea, _ rate: Double, isFinal: Bool) -> Int {
    guard var log = self.log else { return 0 }
    self.log = nil
    let modules = area.modules
    let unfinished = area.takeRecords(isFinal: isFinal) { record in
      log.append(record, modules, names, clock, rate)
    }
    self.log = log
    return unfinished
  }

  /// Takes in an area for good: its processes are gone.
  private mutating func close(_ area: SharedArea) {
    let rate = clock.nanosecondsPerTick()
    executions = executions.filter { $0.value.area !== area }
    let unfinished = writeRecords(of: area, rate, isFinal: true)
    let modules = area.modules
    addUp(area)
    guard var log = self.log else { return }
    self.log = nil
    var rescued = 0
    area.forEachCall { call, stage in
      let site = cordon_area_site(area.area, UInt64(call.site)).pointee
      log.append(CordonRecord(call, of: site, hasReturned: stage != .open), modules, names, clock, rate)
      if stage == .noted { rescued += 1 }
    }
    unfinishedRecords += max(0, unfinished - rescued)
    self.log = log
  }

  /// Adds what an area holds to the totals, and leaves it as it is.
  private mutating func addUp(_ area: SharedArea) {
    let modules = area.modules
    area.forEachSite { site, _ in
      totals[Self.place(of: site, modules), default: CallTotals()].add(site)
    }
    area.forEachCall { call, stage in
      guard stage == .returned else { return }
      let site = cordon_area_site(area.area, UInt64(call.site)).pointee
      totals[Self.place(of: site, modules), default: CallTotals()].add(call)
    }
    lostCalls += Int(area.area.pointee.lost_calls)
    lostRecords += Int(area.area.pointee.lost_records)
  }

  private static func place(of site: CordonSite, _ modules: [CordonModule]) -> CallPlace {
    let address = CallSite.address(ofKey: site.key)
    let call = UInt16(truncatingIfNeeded: site.key)
    guard site.module != 0, Int(site.module) <= modules.count else {
      return CallPlace(module: nil, offset: address, call: call)
    }
    let module = modules[Int(site.module) - 1]
    return CallPlace(
      module: Int(module.name), offset: address &- module.start &+ module.file_offset, call: call)
  }

  /// Closes the books on what is over.
  mutating func settle() {
    closeAreas()
    writeLog()
  }

  /// Says what the books hold.
  /// - Parameter isLast: whether nobody keeps them after this. Otherwise processes live on, which are counted up to now,
  ///   and whoever supervises them writes their records.
  mutating func report(isLast: Bool) -> RunReport {
    if isLast {
      areas.forEach { close($0) }
      areas = []
      log?.flush()
    } else {
      areas.forEach { addUp($0) }
    }
    return RunReport(
      totals: totals, names: names, nanosecondsPerTick: clock.nanosecondsPerTick(),
      duration: MonotonicTime.now() - startTime, lostCalls: lostCalls, lostRecords: lostRecords,
      unfinishedRecords: unfinishedRecords,
      absent: selection.targets.indices.filter { !found.contains($0) }.map { selection.targets[$0] },
      absentModules: profile?.absent ?? [])
  }
}

extension CordonRecord {
  /// The record of a call that its program has not lived to leave.
  fileprivate init(_ call: CordonCall, of site: CordonSite, hasReturned: Bool) {
    self.init()
    key = site.key
    began = call.began
    ended = call.ended
    result = Int64(bitPattern: call.result)
    arguments = call.arguments
    module = site.module
    thread = call.thread
    process = call.process
    has_result = hasReturned ? 1 : 0
  }
}
