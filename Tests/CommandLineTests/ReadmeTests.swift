import Glibc
import SystemPackage
import Testing

/// What README shows is what happens.
@Suite(.enabled(if: Readme.text != nil, "README.md of the checkout cannot be read by this user"))
struct ReadmeTests {
  @Test func `its program is the one that is built here, to the letter`() throws {
    let program = try #require(Readme.contents(of: "Tests/ReadmeExample/main.swift"))
    #expect(try #require(Readme.text).contains("```swift\n\(program)```\n"))
    #expect(program.split(separator: "\n").count <= 15)
  }

  @Test func `its program prints what it says`() async throws {
    let outcome = try await CordonBinary.run(
      CordonBinary.path.removingLastComponent().appending("ReadmeExample"), [])
    let line = try #require(outcome.output.split(separator: "\n").first)
    #expect(try #require(Readme.text).contains("```\n\(line)\n```\n"))
    #expect(outcome.status == 0)
  }

  @Test func `its program of changing regions is the one that is built here, and prints what it says`() async throws {
    let text = try #require(Readme.text)
    let program = try #require(Readme.contents(of: "Tests/ReadmeLiveExample/main.swift"))
    #expect(text.contains("```swift\n\(program)```\n"))
    let outcome = try await CordonBinary.run(
      CordonBinary.path.removingLastComponent().appending("ReadmeLiveExample"), [])
    #expect(outcome.status == 0)
    #expect(outcome.output.split(separator: "\n").count == 3)
    #expect(text.contains("```\n\(outcome.output)```\n"))
  }

  @Test func `every command of a console block prints what stands below it`() async throws {
    let folder = try TemporaryFolder()
    let commands = Readme.commands(in: "console")
    #expect(commands.count >= 5)
    for (command, expected) in commands {
      let path = CordonBinary.path.removingLastComponent().string
      let outcome = try await CordonBinary.shell("PATH=\(path):$PATH; \(command) 2>&1", in: folder.path)
      #expect(outcome.output == expected, "\(command)")
    }
  }

  /// What it has `cat` show is what the others find there.
  @Test(
    .timeLimit(.ofPrograms),
    .enabled(if: Compiler.exists && access("/usr/bin/python3", X_OK) == 0, "gcc or python3 is not installed"))
  func `every command of a session prints what stands below it, but for times and addresses`() async throws {
    let folder = try TemporaryFolder()
    let commands = Readme.commands(in: "shell-session")
    #expect(commands.count >= 3)
    for (command, expected) in commands {
      if command.hasPrefix("cat ") { _ = try folder.write(Array(expected.utf8), to: String(command.dropFirst(4))) }
      let path = CordonBinary.path.removingLastComponent().string
      let outcome = try await CordonBinary.shell("PATH=\(path):$PATH; \(command) 2>&1", in: folder.path)
      #expect(withoutFigures(outcome.output) == withoutFigures(expected), "\(outcome.output)")
    }
  }

  private func withoutFigures(_ text: String) -> String {
    text.replacing(#/0x[0-9a-f]+|\d+\.\d/#, with: "N").replacing(#/ +/#, with: " ")
  }
}

/// The checkout's README.
private enum Readme {
  static let text = contents(of: "README.md")

  static func contents(of name: String) -> String? {
    let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    guard let file = try? FileDescriptor.open(root.appending(name), .readOnly) else { return nil }
    return try? file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65536)
      while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
        bytes += buffer[..<count]
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// The commands of its blocks of this kind, each with the text below it.
  static func commands(in kind: String) -> [(command: String, output: String)] {
    var commands: [(String, String)] = []
    var isConsole = false
    for line in (text ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isConsole = line == "```\(kind)"
      } else if isConsole, line.hasPrefix("$ ") {
        commands.append((String(line.dropFirst(2)), ""))
      } else if isConsole, !commands.isEmpty {
        commands[commands.count - 1].1 += line + "\n"
      }
    }
    return commands
  }
}
