import FilterCompiler
import Foundation
import Testing

/// Whatever a file holds, whatever it is called and wherever the result goes: one line says what is wrong, the exit code
/// which kind of wrong, and nothing is left half-done.
@Suite struct BadInputTests {
  /// The verbs that read raw filters, with what else they need; the file comes last.
  static let readers = [
    ["show"], ["check", "--nr", "1"], ["cost"], ["cost", "--json"], ["prove", "--default", "allow"], ["diff", "good"],
  ]

  private static let filter: [UInt8] = [0x20, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0xff, 0x7f]

  /// A folder with one good filter.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    _ = try folder.write(Self.filter, to: "good")
    return folder
  }

  @Test(arguments: readers)
  func whatIsNoFilterIsRefused(reader: [String]) async throws {
    let folder = try folder()
    let contents: [(String, [UInt8], String)] = [
      ("empty", [], "offset 0: "), ("odd", Self.filter + [6], "offset 16: "), ("short", [6, 0, 0], "offset 0: "),
      ("endless", Array(Self.filter.prefix(8)), "offset 0: "),
      ("long", Array(repeating: 0, count: 40000), "offset 32768: "),
    ]
    for (name, bytes, words) in contents {
      _ = try folder.write(bytes, to: name)
      let outcome = try await CordonBinary.run(CordonBinary.path, reader + [name], in: folder.path)
      #expect(outcome.status == 65 && outcome.output.isEmpty)
      #expect(outcome.error.hasPrefix("cordon: \(name): \(words)"), "\(outcome.error)")
      #expect(outcome.error.split(separator: "\n").count <= 2, "\(outcome.error)")
    }
    for (name, words) in [("nothing", "No such file"), (".", "Is a directory"), ("good/x", "Not a directory")] {
      let outcome = try await CordonBinary.run(CordonBinary.path, reader + [name], in: folder.path)
      #expect(outcome.status == 65 && outcome.output.isEmpty)
      #expect(outcome.error.hasPrefix("cordon: \(name): cannot be read: \(words)"), "\(outcome.error)")
    }
    let nameless = try await CordonBinary.run(CordonBinary.path, reader + [""], in: folder.path)
    #expect(nameless.status == 65 && nameless.error.hasPrefix("cordon: '': cannot be read: "), "\(nameless.error)")
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything"), arguments: readers + [["compile"]])
  func whatMayNotBeReadIsSaid(reader: [String]) async throws {
    let folder = try folder()
    chmod(try folder.write(Self.filter, to: "secret"), 0)
    let outcome = try await CordonBinary.run(CordonBinary.path, reader + ["secret"], in: folder.path)
    #expect(outcome.status == 65 && outcome.error == "cordon: secret: cannot be read: Permission denied\n")
  }

  /// Names are bytes; a name that is no UTF-8 must not become another one.
  @Test(arguments: readers)
  func aFileMayHaveAnyName(reader: [String]) async throws {
    let folder = try folder()
    let words = reader.joined(separator: " ")
    let outcome = try await CordonBinary.shell(
      "cp good \"$(printf 'n\\377\\376')\"; \"$cordon\" \(words) \"$(printf 'n\\377\\376')\"; status=$?; rm n*; exit $status",
      in: folder.path)
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
  }

  @Test func aResultIsWrittenUnderTheNameThatWasGiven() async throws {
    let folder = try folder()
    for option in ["-o ", "--output ", "--output="] {
      let outcome = try await CordonBinary.shell(
        """
        "$cordon" compile --trap 0x1000-0x2000 -f raw \(option)"$(printf 'o\\377')" && test -s "$(printf 'o\\377')" && rm o*
        """, in: folder.path)
      #expect(outcome.status == 0 && outcome.error.isEmpty, "\(option): \(outcome.error)")
      #expect(folder.contents == ["good"], "nothing else was written")
    }
    // Two names that look alike: which one is meant would be a guess.
    let open = try await CordonBinary.shell(
      """
      cp good "$(printf 'a\\377')"; cp good "$(printf 'a\\376')"
      "$cordon" diff "$(printf 'a\\377')" "$(printf 'a\\376')"; status=$?; rm a*; exit $status
      """, in: folder.path)
    #expect(open.status == 65 && open.output.isEmpty, "\(open.output)")
  }

  @Test func aNameWithANewlineStaysInItsLine() async throws {
    let outcome = try await CordonBinary.run("show", "a\nb\u{1b}[31m")
    #expect(outcome.status == 65)
    #expect(outcome.error.split(separator: "\n").count == 1 && !outcome.error.contains("\u{1b}"), "\(outcome.error)")
    let word = try await CordonBinary.run("check", "-", "--nr", "1", "--ip", "x\ny", input: Self.filter)
    #expect(word.status == 64 && word.error.split(separator: "\n").count == 2, "\(word.error)")
  }

  @Test(
    arguments: readers.map { $0 + ["good"] } + [
      ["compile", "--trap", "0x1000-0x2000"], ["compile", "--trap", "0x1000-0x2000", "-f", "raw"], ["doctor"],
      ["help"], ["help", "show"], ["show", "--help"],
    ])
  func whoCannotWriteSaysSo(arguments: [String]) async throws {
    let folder = try folder()
    for redirection in ["> /dev/full", ">&-"] {
      let outcome = try await CordonBinary.shell(
        "\"$cordon\" \(arguments.joined(separator: " ")) \(redirection)", in: folder.path)
      #expect(outcome.status == 69, "\(arguments) \(redirection)")
      #expect(outcome.error.hasPrefix("cordon: standard output: cannot be written: "), "\(outcome.error)")
    }
  }

  /// What is wrong with a word, with what it should have been.
  @Test(arguments: [
    ("compil", "command line: there is no verb 'compil'\ndid you mean 'compile'?"),
    ("help swow", "command line: there is no verb 'swow'\ndid you mean 'show'?"),
    ("frobnicate", "command line: there is no verb 'frobnicate'\n`cordon help` lists the verbs"),
    (
      "compile --trap 0x1000-0x2000 -f bogus",
      "compile: the value 'bogus' is invalid for '-f <format>': it is one of text, raw, c, json, dot, svg\n"
        + "see `cordon help compile`"
    ),
    (
      "compile --trap 0x1000-0x2000 --default deny",
      "compile: the value 'deny' is invalid for '--default <default>': it is one of 'allow' and 'trap'\n"
        + "see `cordon help compile`"
    ),
    (
      "compile --trap 7f001000-7f002000",
      "--trap: '7f001000-7f002000' is not a range of the form 0xSTART-0xEND\n"
        + "hexadecimal numbers are written with 0x: 0x7f001000-0x7f002000"
    ),
    (
      "run --trap 7f001000-7f002000 true",
      "--trap: '7f001000-7f002000' is not a range of the form 0xSTART-0xEND\n"
        + "hexadecimal numbers are written with 0x: 0x7f001000-0x7f002000"
    ),
    (
      "check good --nr 0 --ip 7f001002",
      "check: the value '7f001002' is invalid for '--ip <address>': it is written as 0x7f1234560002, or in decimal\n"
        + "see `cordon help check`"
    ),
    (
      "compile --pid init --trap exe",
      "compile: the value 'init' is invalid for '--pid <pid>': it is a number, as `ps -e` or `pidof NAME` shows it\n"
        + "see `cordon help compile`"
    ),
  ])
  func aWrongWordIsToldWithTheRightOnes(words: String, error: String) async throws {
    let outcome = try await CordonBinary.run(CordonBinary.path, words.split(separator: " ").map(String.init))
    #expect(outcome.status == 64 && outcome.error == "cordon: \(error)\n", "\(outcome.error)")
  }

  @Test func aProfileIsShownWithoutItsControlCharacters() async throws {
    let folder = try TemporaryFolder()
    let profile = try folder.write(Array("default: \"a\\nb\\e[31m\"\n".utf8), to: "p")
    let outcome = try await CordonBinary.run("compile", profile)
    #expect(outcome.status == 65 && !outcome.error.contains("\u{1b}"))
    #expect(outcome.lines.count == 1 && outcome.error.split(separator: "\n").count == 4, "\(outcome.error)")
  }
}
