import Cordon
import FilterCompiler
import Testing

/// What is understood of /proc/PID/maps, and which code a name stands for.
@Suite struct ProcessMapTests {
  static let text = #"""
    55d0c0a00000-55d0c0a21000 r--p 00000000 fe:00 1234                       /usr/bin/my program
    55d0c0a21000-55d0c0b00000 r-xp 00021000 fe:00 1234                       /usr/bin/my program
    55d0c1000000-55d0c1021000 rwxp 00000000 00:00 0                          [heap]
    7f0000000000-7f0000021000 rwxp 00000000 00:00 0 
    7f0000100000-7f0000101000 r-xp 00000000 00:00 0                          [anon:jit code]
    7f0000200000-7f0000201000 rw-p 00000000 00:00 0 
    7f1000000000-7f1000026000 r--p 00000000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libc.so.6
    7f1000026000-7f100017b000 r-xp 00026000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libc.so.6
    7f100017b000-7f1000180000 rw-p 0017b000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libc.so.6
    7f1000200000-7f1000300000 r--p 00000000 fe:00 78                         /usr/lib/locale/locale-archive
    7f1000300000-7f1000310000 r-xp 00000000 fe:00 79                         /opt/old/libold.so.1 (deleted)
    7f1000310000-7f1000320000 r-xp 00000000 fe:00 80                         /opt/a\012b/odd name.so
    7f1000320000-7f1000330000 rwxs 00000000 00:01 81                         /memfd:jit (deleted)
    7f1000340000-7f1000341000 r-xs 00000000 00:01 1030                       /dev/zero (deleted)
    7f1000350000-7f1000351000 r-xs 00000000 00:01 7                          /SYSV0000002a (deleted)
    7f1000360000-7f1000361000 r-xs 00000000 fe:00 9                          /opt/zero (deleted)
    7f1000400000-7f1000401000 r-xp 00000000 fe:00 82                         /opt/new/libc.so.6
    7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
    7ffc00100000-7ffc00104000 r--p 00000000 00:00 0                          [vvar]
    7ffc00104000-7ffc00106000 r-xp 00000000 00:00 0                          [vdso]
    ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
    """#

  private func map(executable: String? = "/usr/bin/my program") throws -> ProcessMap {
    ProcessMap(process: 4711, mappings: try #require(ProcessMap.mappings(in: Self.text)), executable: executable)
  }

  private func range(_ start: UInt64, _ end: UInt64) throws -> AddressRange { try AddressRange(start: start, end: end) }

  @Test func aLineIsReadInAllItsParts() throws {
    let mappings = try map().mappings
    #expect(mappings.count == 21)
    #expect(
      mappings[1].range == (try range(0x55d0_c0a2_1000, 0x55d0_c0b0_0000)) && mappings[1].isReadable
        && !mappings[1].isWritable && mappings[1].isExecutable)
    #expect(mappings[1].path == "/usr/bin/my program" && mappings[1].name == "my program")
    #expect(mappings.last?.range.start == 0xffff_ffff_ff60_0000)
  }

  @Test func originsAreToldApart() throws {
    let origins = try map().mappings.map(\.origin)
    #expect(origins[2] == .special("heap"))
    #expect(origins[3] == .anonymous(name: nil))
    #expect(origins[4] == .anonymous(name: "jit code"))
    #expect(origins[10] == .file(path: "/opt/old/libold.so.1", isDeleted: true))
    #expect(origins[11] == .file(path: "/opt/a\nb/odd name.so", isDeleted: false))
    #expect(origins[12] == .file(path: "/memfd:jit", isDeleted: true))
    #expect(origins[13] == .anonymous(name: nil) && origins[14] == .anonymous(name: nil))
    #expect(origins[15] == .file(path: "/opt/zero", isDeleted: true))
    #expect(try map().mappings.filter(\.isSegment).map(\.range.start) == [0x7f10_0035_0000])
  }

  static let names: [(String, [String])] = [
    ("exe", ["0x55d0c0a21000-0x55d0c0b00000"]), ("vdso", ["0x7ffc00104000-0x7ffc00106000"]),
    (
      "anonymous",
      [
        "0x55d0c1000000-0x55d0c1021000", "0x7f0000000000-0x7f0000021000", "0x7f0000100000-0x7f0000101000",
        "0x7f1000340000-0x7f1000341000", "0x7f1000350000-0x7f1000351000",
      ]
    ),
    ("libc.so*", ["0x7f1000026000-0x7f100017b000", "0x7f1000400000-0x7f1000401000"]),
    ("libc.so.6", ["0x7f1000026000-0x7f100017b000", "0x7f1000400000-0x7f1000401000"]),
    ("/opt/new/libc.so.6", ["0x7f1000400000-0x7f1000401000"]),
    ("/usr/lib/*/libc.so*", ["0x7f1000026000-0x7f100017b000"]),
    ("libold.so.[0-9]", ["0x7f1000300000-0x7f1000310000"]), ("odd name.so", ["0x7f1000310000-0x7f1000320000"]),
    ("my program", ["0x55d0c0a21000-0x55d0c0b00000"]), ("memfd:*", ["0x7f1000320000-0x7f1000330000"]),
  ]

  @Test(arguments: names)
  func aNameStandsForTheCodeOfItsModule(name: String, expected: [String]) throws {
    #expect(try map().code(of: name).map(\.description) == expected)
  }

  @Test(arguments: ["lib", "libc", "program", "/libc.so.6", "vsyscall", "[heap]", "heap", "[vdso]", "", "LIBC.SO.6"])
  func otherNamesMatchNothing(name: String) throws {
    let error = #expect(throws: ProcessMapError.self) { try map().code(of: name) }
    guard let error, case .noSuchModule(name, process: 4711, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func withoutALinkToItTheMainProgramIsUnknown() throws {
    let error = #expect(throws: ProcessMapError.self) { try map(executable: nil).code(of: "exe") }
    #expect(error?.description == "nothing mapped in process 4711 matches 'exe'")
  }

  @Test func nearNamesAreOffered() throws {
    for (wanted, offered) in [("libcc.so", "libc.so.6"), ("libold", "libold.so.1"), ("vdos", "vdso"), ("EXE", "exe")] {
      let error = #expect(throws: ProcessMapError.self) { try map().code(of: wanted) }
      #expect(error?.remedy?.hasPrefix("did you mean '") == true && error?.remedy?.contains("'\(offered)'") == true)
    }
    let error = #expect(throws: ProcessMapError.self) { try map().code(of: "zzzzzzzzzz") }
    #expect(error?.remedy?.contains("'libold.so.1'") == true, "where nothing is near, all there is")
  }

  @Test func dataIsNoCode() throws {
    #expect(throws: ProcessMapError.noCode("locale-archive", process: 4711)) { try map().code(of: "locale-archive") }
  }

  @Test(arguments: [
    "garbage", "1000-2000 r-xp 0 0:0", "2000-1000 r-xp 0 0:0 0 /x", "1000-1000 r-xp 0 0:0 0 /x", "1000 r-xp 0 0:0 0 /x",
    "1000-2000 rx 0 0:0 0 /x", "1000-zzzz r-xp 0 0:0 0 /x",
  ])
  func aStrangeLineIsNotGuessedAt(line: String) { #expect(ProcessMap.mappings(in: "\(line)\n") == nil) }

  @Test func aMapIsReadUntilItsCodeSettles() throws {
    func reading(_ code: UInt64, data: UInt64) throws -> [ProcessMap.Mapping] {
      let text = "\(String(data, radix: 16))000-fffff000 rw-p 0 0:0 0\nff\(code)00000-ff\(code)01000 r-xp 0 0:0 0\n"
      return try #require(ProcessMap.mappings(in: text))
    }
    // Data may change: only code matters. The last reading is what counts.
    var readings = [try reading(1, data: 1), try reading(2, data: 2), try reading(2, data: 3), try reading(5, data: 4)]
    let settled = try ProcessMap.settled { () throws(ProcessMapError) in readings.removeFirst() }
    #expect(settled == (try reading(2, data: 3)))
    #expect(readings.count == 1)

    var restless = (0..<1000).map { index in try? reading(UInt64(1 + index % 2), data: 1) }
    #expect(try ProcessMap.settled { () throws(ProcessMapError) in restless.removeFirst() ?? [] } == nil)
  }
}
