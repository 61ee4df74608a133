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

  private static let names = [
    "deny-writable-code", "library-without-network", "only-libc", "plugin-read-write-futex", "single-region",
    "static-program", "wine-bands",
  ]

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
    _ name: String, _ address: UInt64, _ architecture: AuditArchitecture = .x86_64, call: String = "getpid",
    first: UInt64 = 0
  ) throws -> Action {
    let number = try #require(SyscallNames.number(of: call, on: architecture))
    return try Self.compiled(name).evaluate(
      SeccompData(nr: number, arch: architecture, instructionPointer: address &+ 2, args: [first, 0, 0, 0, 0, 0])
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

  @Test func aLibraryWithoutNetworkOpensLocalSocketsOnly() throws {
    let profile = "library-without-network"
    for address: UInt64 in [0x7f5a_1020_0000, 0x7f5a_1020_fffe] {
      for call in ["socket", "x32:socket"] {
        for family: UInt64 in [1, 0x7_0000_0001] {
          #expect(try answer(profile, address, call: call, first: family) == Action(.allow))
        }
        for family: UInt64 in [0, 2, 10, 16, 17, 0x1_0000_0002] {
          #expect(try answer(profile, address, call: call, first: family) == Action(.errno, data: 13))
        }
      }
      #expect(try answer(profile, address, .i386, call: "socket", first: 2) == Action(.errno, data: 13))
      #expect(try answer(profile, address, .i386, call: "socketcall", first: 1) == Action(.errno, data: 13))
      #expect(try answer(profile, address, call: "io_uring_setup") == Action(.errno, data: 38))
      #expect(try answer(profile, address, call: "openat") == Action(.allow))
      #expect(try answer(profile, address, .aarch64) == Action(.killProcess))
    }
    for address: UInt64 in [0x55d0_c0a2_1000, 0x7f5a_1002_6000, 0x7f5a_101f_ffff, 0x7f5a_1021_0000] {
      #expect(try answer(profile, address, call: "socket", first: 2) == Action(.allow))
      #expect(try answer(profile, address, call: "io_uring_setup") == Action(.allow))
    }
  }

  @Test func thePluginReadsWritesAndWaits() throws {
    let profile = "plugin-read-write-futex"
    for call in ["read", "write", "futex"] {
      #expect(try answer(profile, 0x7f5a_1020_0000, call: call) == Action(.allow))
      #expect(try answer(profile, 0x7f5a_1020_0000, call: "x32:\(call)") == Action(.killProcess))
    }
    for call in ["open", "openat", "mmap", "execve", "clone", "exit_group", "readv", "pread64"] {
      #expect(try answer(profile, 0x7f5a_1020_0000, call: call) == Action(.errno, data: 1))
      #expect(try answer(profile, 0x55d0_c0a2_1000, call: call) == Action(.allow))
      #expect(try answer(profile, 0x7f5a_1002_6000, call: call) == Action(.allow))
    }
    #expect(try answer(profile, 0x7f5a_1020_0000, .i386, call: "read") == Action(.killProcess))
    #expect(try answer(profile, 0x55d0_c0a2_1000, .i386, call: "read") == Action(.allow))
  }

  @Test func whatPoliciesAllowEverywhereIsInTheKernelsBitmap() throws {
    let plugin = FilterStack([try Self.compiled("plugin-read-write-futex")])
    let number = { (name: String) in try #require(SyscallNames.number(of: name, on: .x86_64)) }
    for call in ["read", "write", "futex"] { #expect(plugin.isCached(try number(call), on: .x86_64)) }
    #expect(!plugin.isCached(try number("open"), on: .x86_64))
    let library = FilterStack([try Self.compiled("library-without-network")])
    for call in ["read", "openat", "mmap"] { #expect(library.isCached(try number(call), on: .x86_64)) }
    #expect(!library.isCached(try number("socket"), on: .x86_64))
  }

  /// What the listings beside them are is what the profiles say, for every call there can be.
  @Test(arguments: names) func theFilterIsProved(name: String) throws {
    let profile = try Profile(yaml: Self.text("\(name).yaml"), file: "\(name).yaml")
    let process = try Self.exampleMap()
    let map = try profile.regionMap { name throws(CodeNameError) in try CodePlaces.ranges(of: name, in: process) }
    let found = try Prover.difference(
      FilterStack([Self.compiled(name)]), RegionSpecification(map, profile.options))
    #expect(found == nil)
  }

  /// Whatever a file has in it, it is a profile or refused.
  @Test(arguments: names) func damagedProfilesAreReadOrRefused(name: String) throws {
    let original = Array(try Self.text("\(name).yaml").utf8)
    let process = try Self.exampleMap()
    var generator = SeededGenerator(seed: UInt64(name.count))
    let interesting = Array("[]{}&*!|>'\"%@`:,-? \n\t\0#~\u{7f}é".utf8)
    // Those with policies are compiled by processes.
    for _ in 0..<(name.contains("plugin") || name.contains("library") ? 100 : 300) {
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
