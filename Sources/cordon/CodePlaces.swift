import Cordon
import FilterCompiler
import SyscallPolicy

/// Where the code lies that a command line names: ranges as they are, modules by the map of a process.
struct CodePlaces {
  private let map: ProcessMap?
  /// What was found in the process.
  let names = CodeNames()

  /// Reads the map of `process`, where there is one.
  init(process: ProcessNumber?, architecture: Architecture) throws(CommandFailure) {
    guard let process else {
      map = nil
      return
    }
    guard architecture == .host else {
      throw .usage(
        "--pid", "the processes of this machine run \(Architecture.host) code, not \(architecture)",
        remedy: "leave out --arch or --pid")
    }
    do {
      map = try ProcessMap(of: process.value)
    } catch {
      throw .badInput("--pid", error, remedy: error.remedy)
    }
  }

  /// The ranges that `text`, the value of `option`, stands for; at least one.
  func ranges(_ text: String, _ option: String) throws(CommandFailure) -> [AddressRange] {
    if Self.isMeantAsRange(text) { return [try Self.range(text, option)] }
    guard let map else {
      throw .usage(
        option, "'\(text)' is not a range of the form 0xSTART-0xEND",
        remedy: "say with --pid in which process to look for a module of that name")
    }
    do {
      let ranges = try map.code(of: text)
      names.note(ranges, in: map)
      return ranges
    } catch {
      throw .badInput(option, error, remedy: error.remedy)
    }
  }

  /// Finds code that a profile names; nil where there is no process to find it in.
  var finder: Profile.CodeFinder? {
    guard let map else { return nil }
    return { name throws(CodeNameError) in
      let ranges = try Self.ranges(of: name, in: map)
      names.note(ranges, in: map)
      return ranges
    }
  }

  /// The executable ranges of `map` that a profile's name stands for; at least one.
  static func ranges(of name: CodeName, in map: ProcessMap) throws(CodeNameError) -> [AddressRange] {
    let ranges: [AddressRange]
    do {
      ranges = try map.code(of: name.name)
    } catch {
      throw CodeNameError(problem: "\(error)", remedy: error.remedy, isAbsence: true)
    }
    guard let writable = name.writable else { return ranges }
    let kept = Set(map.mappings.filter { $0.isWritable == writable }.map(\.range))
    let chosen = ranges.filter(kept.contains)
    guard chosen.isEmpty else { return chosen }
    throw CodeNameError(
      problem: "all code of '\(name.name)' in process \(map.process) is \(writable ? "read-only" : "writable")",
      remedy: nil, isAbsence: true)
  }

  /// Whether the text starts as a number does, or is a range as /proc/PID/maps has it; module names that are can be written
  /// as a glob.
  static func isMeantAsRange(_ text: String) -> Bool {
    text.hasPrefix("0x") || text.hasPrefix("0X") || withPrefixes(text) != nil
  }

  /// A range of bare hexadecimal numbers as it should have been written; nil for any other text.
  private static func withPrefixes(_ text: String) -> String? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    let areNumbers = ends.allSatisfy { $0.allSatisfy(\.isHexDigit) && $0.contains(where: \.isNumber) }
    return ends.count == 2 && areNumbers ? "0x\(ends[0])-0x\(ends[1])" : nil
  }

  /// The range that `text` writes.
  static func range(_ text: String, _ option: String) throws(CommandFailure) -> AddressRange {
    do {
      return try AddressRange(parsing: text)
    } catch .malformedRange {
      throw .usage(
        option, RegionError.malformedRange(text),
        remedy: withPrefixes(text).map { "hexadecimal numbers are written with 0x: \($0)" }
          ?? "for example 0x7f1234560000-0x7f1234570000; the end is exclusive")
    } catch {
      throw .badInput(option, error, remedy: "a range is 0xSTART-0xEND, and END the first address after it")
    }
  }
}
