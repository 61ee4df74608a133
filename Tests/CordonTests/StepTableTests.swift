import Glibc
import Synchronization
import TestSupport
import Testing
import TrapEngine

/// The table that the SIGSYS handler reads while others change it. There is one in a process, so each test has its own.
@Suite struct StepTableTests {
  /// Random edits against an array that says the same.
  @Test(arguments: 0..<6)
  func `any edits, against an array`(_ seed: Int) async {
    await #expect(processExitsWith: .exitCode(0)) { [seed = seed as Int] in
      alarm(900)
      var random = SeededGenerator(seed: UInt64(seed))
      guard cordon_engine_prepare() == 0 else { exit(2) }
      let size = 2000
      var model = [UInt32](repeating: 0, count: size)
      let start = CordonStep(first: 0, region: 0, disposition: 0)
      guard withUnsafePointer(to: start, { setTable($0, 1) }) == 0 else { exit(3) }
      for round in 0..<1500 {
        var steps: [[CordonStep]] = []
        var bounds: [(Int, Int)] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let first = Int.random(in: 0..<size, using: &random)
          let width = Int.random(in: 0..<(round.isMultiple(of: 10) ? size : 12), using: &random)
          let last = min(first + width, size - 1)
          var row: [CordonStep] = []
          for place in first...last {
            if place == first || Int.random(in: 0..<3, using: &random) == 0 {
              let value = UInt32.random(in: 0..<5, using: &random)
              row.append(CordonStep(first: UInt64(place), region: value, disposition: value & 1))
            }
            model[place] = row[row.count - 1].region
          }
          steps.append(row)
          bounds.append((first, last))
        }
        let flat = steps.flatMap { $0 }
        let result = flat.withUnsafeBufferPointer { buffer in
          var next = buffer.baseAddress!
          let edits = zip(steps, bounds).map { row, bound in
            defer { next += row.count }
            let last = bound.1 == size - 1 ? UInt64.max : UInt64(bound.1)
            return CordonEdit(first: UInt64(bound.0), last: last, steps: next, step_count: UInt64(row.count))
          }
          return cordon_table_change(edits, UInt64(edits.count), nil, 0)
        }
        guard result == 0, cordon_table_generation() == UInt64(round + 2) else { exit(4) }
        guard round % 20 == 0 || round < 50 else { continue }
        for place in 0..<size {
          var (step, record) = (CordonStep(), CordonRegionRecord())
          cordon_table_find(UInt64(place), &step, &record)
          guard step.region == model[place], step.disposition == model[place] & 1 else { exit(5) }
        }
      }
      // Neighbours that say the same are one step, and the chunks are not left nearly empty.
      var (count, chunks): (UInt64, UInt64) = (0, 0)
      cordon_table_occupancy(&count, &chunks)
      let wanted = 1 + zip(model, model.dropFirst()).filter { $0 != $1 }.count
      exit(Int(count) == wanted && chunks <= count / 8 + 2 ? 0 : 6)
    }
  }

  /// A row of 16,384 chunks has room for what they make, however many there are: also where each could begin a chunk.
  @Test func `20,000 edits in one change`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      guard cordon_engine_prepare() == 0 else { exit(2) }
      let start = CordonStep(first: 0, region: UInt32.max, disposition: 0)
      guard withUnsafePointer(to: start, { setTable($0, 1) }) == 0 else { exit(3) }
      let count: UInt64 = 20_000
      for round in 1...UInt32(3) {
        let steps = (1...count).map { CordonStep(first: $0 * 16, region: round, disposition: 1) }
        let result = steps.withUnsafeBufferPointer { steps in
          let edits = (0..<steps.count).map { place in
            CordonEdit(
              first: steps[place].first, last: steps[place].first + 7, steps: steps.baseAddress! + place, step_count: 1)
          }
          return cordon_table_change(edits, count, nil, 0)
        }
        guard result == 0 else { exit(4) }
        for place in 1...count {
          var (step, record) = (CordonStep(), CordonRegionRecord())
          cordon_table_find(place * 16 + 7, &step, &record)
          guard step.region == round else { exit(5) }
          cordon_table_find(place * 16 + 8, &step, &record)
          guard step.region == UInt32.max else { exit(6) }
        }
      }
      var (steps, chunks): (UInt64, UInt64) = (0, 0)
      cordon_table_occupancy(&steps, &chunks)
      exit(steps == 2 * count + 1 && chunks <= steps / 16 + 1 ? 0 : 7)
    }
  }

  /// Every answer is one that held as a whole: here all steps of a generation say its number.
  @Test func `readers see all of a change or nothing of it`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      guard cordon_engine_prepare() == 0 else { exit(2) }
      let size: UInt64 = 512
      @Sendable func change(to value: UInt32) -> Int {
        // Different steps in each, and the same answer from all of them.
        let steps = (0..<size).filter { $0 == 0 || ($0 &* 7 &+ UInt64(value)) % 5 == 0 }.map { first in
          CordonStep(first: first * 2, region: value, disposition: UInt32(first & 1))
        }
        let record = CordonRegionRecord(start: UInt64(value), end: UInt64(value) + 1, serial: UInt64(value))
        let name = CordonNaming(region: value % 1000, reserved: 0, record: record)
        let named = steps.map { CordonStep(first: $0.first, region: value % 1000, disposition: $0.disposition) }
        return named.withUnsafeBufferPointer { steps in
          let edit = CordonEdit(first: 0, last: .max, steps: steps.baseAddress, step_count: UInt64(steps.count))
          return withUnsafePointer(to: edit) { edit in
            withUnsafePointer(to: name) { cordon_table_change(edit, 1, $0, 1) }
          }
        }
      }
      let start = CordonStep(first: 0, region: UInt32.max, disposition: 0)
      guard withUnsafePointer(to: start, { setTable($0, 1) }) == 0, change(to: 1) == 0 else { exit(3) }
      let stop = Atomic<Bool>(false)
      let wrong = Atomic<Int>(0)
      let reads = Atomic<Int>(0)
      inThreads(4) { index in
        if index == 0 {
          for value in 2..<UInt32(3_000) where change(to: value) != 0 { wrong.add(1, ordering: .relaxed) }
          stop.store(true, ordering: .releasing)
        } else {
          var pointer = UInt64(index)
          while !stop.load(ordering: .acquiring) {
            var (step, record) = (CordonStep(), CordonRegionRecord())
            let generation = cordon_table_find(pointer % (size * 2), &step, &record)
            // Generation 1 is the table's first, 2 the change to 1, and so on.
            let value = generation - 1
            if UInt64(step.region) != value % 1000 || record.serial != value { wrong.add(1, ordering: .relaxed) }
            reads.add(1, ordering: .relaxed)
            pointer &+= 7
          }
        }
      }
      exit(wrong.load(ordering: .relaxed) == 0 && reads.load(ordering: .relaxed) > 1000 ? 0 : 4)
    }
  }

  @Test func `without memory a change fails whole`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      guard cordon_engine_prepare() == 0 else { exit(2) }
      let start = CordonStep(first: 0, region: 7, disposition: 1)
      guard withUnsafePointer(to: start, { setTable($0, 1) }) == 0 else { exit(3) }
      let steps = (0..<UInt64(100_000)).map { CordonStep(first: $0 * 4, region: UInt32($0 & 1), disposition: 0) }
      func attempt() -> Int {
        steps.withUnsafeBufferPointer { setTable($0.baseAddress, UInt64($0.count)) }
      }
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: rlim_t.max)
      setrlimit(__rlimit_resource_t(2), &limit)  // RLIMIT_DATA: private writable memory
      guard attempt() == -Int(ENOMEM) else { exit(4) }
      var (step, record) = (CordonStep(), CordonRegionRecord())
      guard cordon_table_find(4711, &step, &record) == 1, step.region == 7, step.disposition == 1 else { exit(5) }
      limit.rlim_cur = limit.rlim_max
      setrlimit(__rlimit_resource_t(2), &limit)
      exit(attempt() == 0 && cordon_table_find(8, &step, &record) == 2 && step.region == 0 ? 0 : 6)
    }
  }
}

/// Makes the whole map anew.
private func setTable(_ steps: UnsafePointer<CordonStep>?, _ count: UInt64) -> Int {
  withUnsafePointer(to: CordonEdit(first: 0, last: .max, steps: steps, step_count: count)) {
    cordon_table_change($0, 1, nil, 0)
  }
}
