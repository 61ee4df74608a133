import Cordon
import FilterCompiler
import Foundation
import SyscallPolicy
import Testing
import TestSupport

@testable import cordon

/// The profiles in Filters: each compiles to the listing beside it, and does what its first lines say.
///
/// `CORDON_RECORD_LISTINGS=1 swift test --filter ShippedProfile` writes the listings anew.
@Suite struct ShippedProfileTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Filters").standardizedFileURL

  private static let names = ["deny-writable-code", "only-libc", "single-region", "static-program", "wine-bands"]

  private static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  /// What is mapped in the process that the listings are for.
  private static func exampleMap() throws -> ProcessMap {
    let mappings = try #require(ProcessMap.mappings(in: text("example.maps")))
    return ProcessMap(process: 4711, mappings: mappings, executable: "/usr/bin/program")
  }

  private static func compiled(_ name: String) throws -> Program {
    let profile = try Profile(yaml: text("\(name).yaml"), file: "\(name).yaml")
    let process = try exampleMap()
    let map = try profile.regionMap { name throws(CodeNameError) in try CodePlaces.ranges(of: name, in: process) }
    return try map.compile(profile.options)
  }

  /// What becomes of a call whose instruction lies at `address`.
  private func answer(
    _ name: String, _ address: UInt64, _ architecture: AuditArchitecture = .x86_64
  ) throws -> Action {
    try Self.compiled(name).evaluate(
      SeccompData(nr: 39, arch: architecture, instructionPointer: address &+ 2)
    ).action
  }

  @Test func allOfThemAreTestedHere() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    let profiles = files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
    #expect(profiles.sorted() == Self.names)
    let readme = try Self.text("README.md")
    for name in profiles { #expect(readme.contains("`\(name).yaml`"), "the README names \(name)") }
  }

  @Test(arguments: names) func theListingIsTheOneBesideIt(name: String) throws {
    let listing = Disassembler(architecture: .x86_64) { SyscallNames.name(of: $0, on: $1) }
      .text(of: try Self.compiled(name))
    if ProcessInfo.processInfo.environment["CORDON_RECORD_LISTINGS"] != nil {
      try Data(listing.utf8).write(to: Self.folder.appendingPathComponent("\(name).txt"))
    }
    #expect(try Self.text("\(name).txt") == listing)
  }

  @Test(arguments: names) func itStartsWithAFewLinesOfWhy(name: String) throws {
    let lines = try Self.text("\(name).yaml").split(separator: "\n").prefix { $0.hasPrefix("#") }
    #expect(lines.count >= 3)
  }

  @Test func onlyTheCLibraryAndWhatBelongsToItMayCall() throws {
    for address: UInt64 in [0x7f5a_1002_6000, 0x7f5a_1017_affe, 0x7f5a_1040_1000, 0x7ffc_0010_4000] {
      #expect(try answer("only-libc", address) == Action(.allow))
    }
    for address: UInt64 in [
      0x55d0_c0a2_1000, 0x7f5a_0000_0000, 0x7f5a_1002_5ffe, 0x7f5a_1002_5fff, 0x7f5a_1017_afff, 0x7f5a_1020_0000,
      0x7ffc_0010_6000, 0,
    ] { #expect(try answer("only-libc", address) == Action(.killProcess)) }
    #expect(try answer("only-libc", 0x7f5a_1002_6000, .i386) == Action(.killProcess))
  }

  @Test func aStaticProgramCallsItself() throws {
    for address: UInt64 in [0x55d0_c0a2_1000, 0x55d0_c0af_fffe, 0x7ffc_0010_4000] {
      #expect(try answer("static-program", address) == Action(.allow))
    }
    for address: UInt64 in [0x7f5a_1002_6000, 0x7f5a_0000_0000, 0x55d0_c0a2_0ffe] {
      #expect(try answer("static-program", address) == Action(.killProcess))
    }
  }

  @Test func codeThatCanBeChangedMayNotCall() throws {
    for address: UInt64 in [0x55d0_c0a2_1000, 0x7f5a_1002_6000, 0x7f5a_1020_0000, 0x7f5a_1040_1000, 0x7ffc_0010_4000] {
      #expect(try answer("deny-writable-code", address) == Action(.allow))
    }
    for address: UInt64 in [0x7f5a_0000_0000, 0x7f5a_1030_0000, 0x55d0_c100_0000, 0x7ffc_0000_1000, 0x7f5a_9999_0000] {
      #expect(try answer("deny-writable-code", address) == Action(.errno, data: 1))
    }
  }

  @Test func windowsCodeTrapsAndWinesDoesNot() throws {
    for address: UInt64 in [
      0x1_4000_0000, 0x1_7000_0000, 0x1d8_0000_0000, 0x393_0000_0000, 0x10_0000, 0x7d3f_fffe, 0x7d40_2000,
      0x6fff_ffff_fffe, 0x7fff_fe00_0000, 0x7fff_fffe_0000,
    ] { #expect(try answer("wine-bands", address) == Action(.trap), "\(hexadecimal(address))") }
    for address: UInt64 in [
      0x7d40_0000, 0x7d40_1ffe, 0x7000_0000_0000, 0x7f00_0000_0000, 0x7fff_fdff_fffe, 0xffff_ffff_ff60_0000,
    ] { #expect(try answer("wine-bands", address) == Action(.allow), "\(hexadecimal(address))") }
    #expect(try answer("wine-bands", 0x1_4000_0000, .i386) == Action(.allow))
  }

  /// Whatever a file has in it, it is a profile or refused.
  @Test(arguments: names) func damagedProfilesAreReadOrRefused(name: String) throws {
    let original = Array(try Self.text("\(name).yaml").utf8)
    let process = try Self.exampleMap()
    var generator = SeededGenerator(seed: UInt64(name.count))
    let interesting = Array("[]{}&*!|>'\"%@`:,-? \n\t\0#~\u{7f}é".utf8)
    for _ in 0..<300 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = interesting.randomElement(using: &generator) ?? 0
        case 1: bytes.insert(interesting.randomElement(using: &generator) ?? 0, at: place)
        case 2: bytes.removeSubrange(place..<min(place + 9, bytes.count - 1))
        default: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
        }
      }
      let yaml = String(decoding: bytes, as: UTF8.self)
      do {
        let profile = try Profile(yaml: yaml, file: name)
        _ = try profile.regionMap { name throws(CodeNameError) in try CodePlaces.ranges(of: name, in: process) }
      } catch {
        #expect(!error.problem.isEmpty && error.line > 0 && error.column > 0, "\(error)\n\(yaml)")
      }
    }
  }
}
