import FilterCompiler
import Testing
import TrapEngine

@testable import Cordon

@Suite struct StepTableTests {
  private static func regions(_ bounds: [(UInt64, UInt64)]) throws -> [Region] {
    try bounds.enumerated().map { index, bound in
      Region(index: index, range: try AddressRange(start: bound.0, end: bound.1))
    }
  }

  /// What the handler finds for an instruction at `address`.
  private static func step(_ table: StepTable, instructionAt address: UInt64) -> (region: Int?, traps: Bool) {
    let step = table.steps.last { $0.first <= address + 2 }
    guard let step else { return (nil, false) }
    return (step.region == UInt32.max ? nil : Int(step.region), step.traps == 1)
  }

  private static func table(
    _ regions: [Region], default defaultDisposition: Disposition = .allow
  ) throws -> StepTable {
    var map = RegionMap(default: defaultDisposition)
    let disposition: Disposition = defaultDisposition == .allow ? Session.trapDisposition : .allow
    for region in regions { try map.insert(region.range, disposition) }
    return StepTable(map: map, regions: regions)
  }

  @Test func `the table starts at 0 and is sorted`() throws {
    let table = try Self.table(Self.regions([(0x8000, 0x9000), (0x1000, 0x2000)]))
    #expect(table.steps.first?.first == 0)
    #expect(zip(table.steps, table.steps.dropFirst()).allSatisfy { $0.first < $1.first })
  }

  @Test func `only instructions wholly inside a region trap, and are named after it`() throws {
    let table = try Self.table(Self.regions([(0x8000, 0x9000), (0x1000, 0x2000)]))
    #expect(Self.step(table, instructionAt: 0x0fff).traps == false)
    #expect(Self.step(table, instructionAt: 0x1000) == (1, true))
    #expect(Self.step(table, instructionAt: 0x1ffe) == (1, true))
    #expect(Self.step(table, instructionAt: 0x1fff).traps == false)
    #expect(Self.step(table, instructionAt: 0x8000) == (0, true))
  }

  @Test func `an instruction across adjacent regions traps and counts to the one it starts in`() throws {
    let table = try Self.table(Self.regions([(0x1000, 0x2000), (0x2000, 0x3000)]))
    #expect(Self.step(table, instructionAt: 0x1fff) == (0, true))
    #expect(Self.step(table, instructionAt: 0x2000) == (1, true))
  }

  @Test func `of nested regions the inner one is named`() throws {
    let table = try Self.table(Self.regions([(0x1000, 0x5000), (0x2000, 0x3000)]))
    #expect(Self.step(table, instructionAt: 0x1000) == (0, true))
    #expect(Self.step(table, instructionAt: 0x2000) == (1, true))
    #expect(Self.step(table, instructionAt: 0x3000) == (0, true))
  }

  @Test func `what the default traps belongs to no region`() throws {
    let table = try Self.table(Self.regions([(0x1000, 0x2000)]), default: Session.trapDisposition)
    #expect(Self.step(table, instructionAt: 0x0fff) == (nil, true))
    #expect(Self.step(table, instructionAt: 0x1000) == (0, false))
    #expect(Self.step(table, instructionAt: 0x4000) == (nil, true))
  }

  @Test(arguments: [Disposition.allow, Session.trapDisposition])
  func `an instruction across a region's end belongs to none`(_ disposition: Disposition) throws {
    let regions = try Self.regions([(0x1000, 0x2000), (0x2000, 0x3000), (0x4000, 0x4002)])
    var map = RegionMap(default: Session.trapDisposition)
    for region in regions { try map.insert(region.range, disposition) }
    let table = StepTable(map: map, regions: regions)
    #expect(Self.step(table, instructionAt: 0x0fff) == (nil, true))
    #expect(Self.step(table, instructionAt: 0x1fff).region == 0)
    #expect(Self.step(table, instructionAt: 0x2ffe).region == 1)
    #expect(Self.step(table, instructionAt: 0x2fff) == (nil, true))
    #expect(Self.step(table, instructionAt: 0x3fff) == (nil, true))
    #expect(Self.step(table, instructionAt: 0x4000).region == 2)
    #expect(Self.step(table, instructionAt: 0x4001) == (nil, true))
  }
}
