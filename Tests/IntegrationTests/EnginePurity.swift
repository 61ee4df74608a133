import Foundation
import Testing

/// The code that runs inside a signal, as the compiler made it: nothing of libc's, no thread-local storage, no vector or
/// floating-point register.
@Suite struct EnginePurity {
  /// The engine's object files, beside the test bundle where the build put it.
  static let objects: [String] = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(".build/debug")
    for folder in [bundle, checkout] {
      let build = folder.appendingPathComponent("TrapEngine.build")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: build.path)) ?? []
      let objects = names.filter { $0.hasSuffix(".o") }.map { build.appendingPathComponent($0).path }
      if !objects.isEmpty { return objects.sorted() }
    }
    print("the engine's objects are not examined here, since they do not lie beside the tests")
    return []
  }()

  @Test(.enabled(if: !objects.isEmpty))
  func `no thread-local storage and no vector or floating-point register`() throws {
    var instructions = 0
    for object in Self.objects {
      for line in try output(of: "objdump", "-d", "--no-show-raw-insn", object).split(separator: "\n") {
        let parts = line.split(separator: "\t")
        guard parts.count >= 2 else { continue }
        instructions += 1
        let text = parts[1...].joined(separator: " ")
        #expect(!text.contains("%fs:") && !text.contains("%gs:"), "\(object): \(text)")
        #expect(text.firstMatch(of: /%(x|y|z)mm[0-9]|%mm[0-7]|%k[0-7]|%st/) == nil, "\(object): \(text)")
        #expect(
          text.firstMatch(of: /^(f[a-z0-9]+|xsave|xrstor|fxsave|fxrstor|emms|ldmxcsr|vzero)/) == nil,
          "\(object): \(text)")
      }
    }
    #expect(instructions > 500, "there was something to examine")
  }

  @Test(.enabled(if: !objects.isEmpty))
  func `nothing from outside the engine`() throws {
    var defined: Set<Substring> = []
    var undefined: Set<Substring> = []
    for object in Self.objects {
      for line in try output(of: "nm", object).split(separator: "\n") {
        let parts = line.split(separator: " ")
        guard let name = parts.last, parts.count >= 2 else { continue }
        let isUndefined = parts[parts.count - 2] == "U" || parts[parts.count - 2] == "w"
        if isUndefined { undefined.insert(name) } else { defined.insert(name) }
      }
    }
    // The linker's own name for what it leaves the loader; there is none without a loader.
    #expect(undefined.subtracting(defined).subtracting(["_DYNAMIC"]).isEmpty)
    #expect(defined.contains("cordon_sigsys"), "there was something to examine")
  }

  @Test(.enabled(if: !objects.isEmpty))
  func `no relocation for thread-local storage`() throws {
    for object in Self.objects {
      let relocations = try output(of: "readelf", "-rW", object)
      #expect(!relocations.contains("TPOFF") && !relocations.contains("TLS"), "\(object)")
    }
  }

  /// One assembly file without the note makes the whole program's stack executable.
  @Test func `the stack of this program is not executable`() throws {
    let headers = try output(of: "readelf", "-lW", "/proc/\(getpid())/exe")
    let stack = try #require(headers.split(separator: "\n").first { $0.contains("GNU_STACK") })
    #expect(stack.contains(" RW ") && !stack.contains("E "), "\(stack)")
    let mapped = try #require(linesOfFile("/proc/self/maps").first { $0.hasSuffix("[stack]") })
    #expect(mapped.contains("rw-p"), "\(mapped)")
  }
}

private func output(of tool: String, _ arguments: String...) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [tool] + arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "\(tool) \(arguments)")
  return String(decoding: data, as: UTF8.self)
}
