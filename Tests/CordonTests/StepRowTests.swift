import FilterCompiler
import SystemPackage
import TestSupport
import Testing
import TrapEngine

@testable import Cordon

@Suite struct StepRowTests {
  private static func store(
    _ bounds: [(UInt64, UInt64)], _ disposition: Region.Disposition = .trap
  ) throws -> RegionStore {
    var store = RegionStore()
    for (start, end) in bounds { try store.insert(AddressRange(start: start, end: end), disposition) }
    return store
  }

  /// What the handler finds for an instruction at `address`.
  private static func step(_ row: StepRow, instructionAt address: UInt64) -> (region: Int?, traps: Bool) {
    let step = row.steps.last { $0.first <= address + 2 }
    guard let step else { return (nil, false) }
    return (step.region == UInt32.max ? nil : Int(step.region), step.disposition != 0)
  }

  private static func row(
    _ bounds: [(UInt64, UInt64)], default usual: Region.Disposition = .allow
  ) throws -> StepRow {
    StepRow(try store(bounds, usual == .allow ? .trap : .allow), default: usual)
  }

  @Test func `the table starts at 0 and is sorted`() throws {
    let row = try Self.row([(0x8000, 0x9000), (0x1000, 0x2000)])
    #expect(row.steps.first?.first == 0)
    #expect(zip(row.steps, row.steps.dropFirst()).allSatisfy { $0.first < $1.first })
  }

  @Test func `only instructions wholly inside a region trap, and are named after it`() throws {
    let row = try Self.row([(0x8000, 0x9000), (0x1000, 0x2000)])
    #expect(Self.step(row, instructionAt: 0x0fff).traps == false)
    #expect(Self.step(row, instructionAt: 0x1000) == (1, true))
    #expect(Self.step(row, instructionAt: 0x1ffe) == (1, true))
    #expect(Self.step(row, instructionAt: 0x1fff).traps == false)
    #expect(Self.step(row, instructionAt: 0x8000) == (0, true))
  }

  @Test func `an instruction across adjacent regions traps and counts to the one it starts in`() throws {
    let row = try Self.row([(0x1000, 0x2000), (0x2000, 0x3000)])
    #expect(Self.step(row, instructionAt: 0x1fff) == (0, true))
    #expect(Self.step(row, instructionAt: 0x2000) == (1, true))
  }

  @Test func `of nested regions the inner one is named`() throws {
    let row = try Self.row([(0x1000, 0x5000), (0x2000, 0x3000)])
    #expect(Self.step(row, instructionAt: 0x1000) == (0, true))
    #expect(Self.step(row, instructionAt: 0x2000) == (1, true))
    #expect(Self.step(row, instructionAt: 0x3000) == (0, true))
  }

  @Test func `what the default traps belongs to no region`() throws {
    let row = try Self.row([(0x1000, 0x2000)], default: .trap)
    #expect(Self.step(row, instructionAt: 0x0fff) == (nil, true))
    #expect(Self.step(row, instructionAt: 0x1000) == (0, false))
    #expect(Self.step(row, instructionAt: 0x4000) == (nil, true))
  }

  @Test(arguments: [Region.Disposition.allow, .trap])
  func `an instruction across a region's end belongs to none`(_ disposition: Region.Disposition) throws {
    let row = StepRow(
      try Self.store([(0x1000, 0x2000), (0x2000, 0x3000), (0x4000, 0x4002)], disposition), default: .trap)
    #expect(Self.step(row, instructionAt: 0x0fff) == (nil, true))
    #expect(Self.step(row, instructionAt: 0x1fff).region == 0)
    #expect(Self.step(row, instructionAt: 0x2ffe).region == 1)
    #expect(Self.step(row, instructionAt: 0x2fff) == (nil, true))
    #expect(Self.step(row, instructionAt: 0x3fff) == (nil, true))
    #expect(Self.step(row, instructionAt: 0x4000).region == 2)
    #expect(Self.step(row, instructionAt: 0x4001) == (nil, true))
  }

  /// What is said of a stretch is what the whole map says there; and the whole says of every instruction what its two
  /// bytes' regions do.
  @Test(arguments: 0..<40)
  func `any map, whole and in parts, against the rule itself`(_ seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var store = RegionStore()
    let dispositions: [Region.Disposition] = [.trap, .allow, .error(.permissionDenied)]
    for _ in 0..<Int.random(in: 1...14, using: &random) {
      let start = UInt64.random(in: 0..<60, using: &random)
      let length = UInt64.random(in: 2...12, using: &random)
      let disposition = dispositions.randomElement(using: &random) ?? .trap
      _ = try? store.insert(AddressRange(start: start, end: start + length), disposition)
    }
    let usual: Region.Disposition = seed.isMultiple(of: 2) ? .allow : .trap
    func byte(_ address: UInt64) -> RegionStore.Entry? {
      store.all.filter { $0.region.range.contains(address) }
        .max { ($0.region.range.start, $0.region.serial) < ($1.region.range.start, $1.region.serial) }
    }
    func answer(_ pointer: UInt64) -> (UInt32, UInt32) {
      let (first, second) = (byte(pointer - 2), byte(pointer - 1))
      guard let first, let second, first.disposition == second.disposition else {
        return (UInt32.max, store.code(usual))
      }
      return (UInt32(first.region.index), store.code(first.disposition))
    }
    let whole = StepRow(store, default: usual)
    #expect(whole.steps[0].first == 0)
    #expect(zip(whole.steps, whole.steps.dropFirst()).allSatisfy { $0.first < $1.first })
    for (start, end) in [(UInt64(0), UInt64(80))]
      + (0..<20).map({ _ in
        let start = UInt64.random(in: 0..<70, using: &random)
        return (start, start + UInt64.random(in: 2...10, using: &random))
      })
    {
      let row = StepRow(store, start, end, default: usual)
      #expect(row.first == max(start, 1) + 1 && row.last == end + 1)
      #expect(row.steps[0].first == row.first)
      #expect(row.steps.allSatisfy { $0.first <= row.last })
      for pointer in row.first...row.last {
        for row in [whole, row] {
          let step = try #require(row.steps.last { $0.first <= pointer })
          #expect((step.region, step.disposition) == answer(pointer), "pointer \(pointer) of \(store.all)")
          #expect(row.trapped.contains(pointer) == (step.disposition != 0))
        }
      }
    }
  }
}
