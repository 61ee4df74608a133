import AgentInterface
import Cordon
package import FilterCompiler
package import SyscallPolicy

/// A profile as agents go by it: for every piece of code that is mapped, a program that judges its calls.
package struct RunProfile {
  /// Why a profile cannot be used for a run.
  package enum Unsuitable: Error {
    case architecture(Architecture)
    case disposition(Disposition)
    case compilation(CompileError)
  }

  private let profile: Profile
  /// One program for each disposition, one after the other.
  private(set) var instructions: [CordonPolicyInstruction] = []
  private var programs: [Disposition: Range<Int>] = [:]
  private(set) var found: Set<String> = []

  /// - Throws: ``Unsuitable`` for dispositions that only a filter can have (notify, trace), for another machine's profile,
  ///   and where the policies are too long.
  package init(_ profile: Profile) throws(Unsuitable) {
    guard profile.architecture == .x86_64 else { throw .architecture(profile.architecture) }
    self.profile = profile
    for disposition in profile.dispositions where programs[disposition] == nil {
      let program = try Self.program(disposition, profile.options)
      let start = instructions.count
      instructions += program.instructions.map {
        CordonPolicyInstruction(code: $0.code, if_true: $0.jt, if_false: $0.jf, constant: $0.k)
      }
      programs[disposition] = start..<instructions.count
    }
    guard instructions.count <= CORDON_AREA_POLICY_INSTRUCTIONS else {
      throw .compilation(.tooLong(instructions: instructions.count))
    }
  }

  private static func program(_ disposition: Disposition, _ options: CompileOptions) throws(Unsuitable) -> Program {
    let program: Program
    do { program = try RegionMap(default: disposition).compile(options) } catch { throw .compilation(error) }
    let known: Set<UInt16> = [0x20, 0x54, 0x05, 0x15, 0x25, 0x35, 0x45, 0x06]  // what the agent's machine has
    for instruction in program.instructions {
      let action = Action(rawValue: instruction.k).kind
      let isUnknown = !known.contains(instruction.code)
      if isUnknown || instruction.code == 0x06 && (action == .notify || action == .trace) {
        throw .disposition(disposition)
      }
    }
    return program
  }

  /// The regions that are given by address and denied: a filter enforces them by itself.
  package var enforced: [RegionMap.Region] {
    let map = try? profile.presentRegionMap(finding: { _ throws(CodeNameError) in
      throw CodeNameError(problem: "", remedy: nil, isAbsence: true)
    })
    return map?.regions.filter { region in
      switch region.disposition {
      case .errno, .killProcess, .killThread: true
      default: false
      }
    } ?? []
  }

  /// The names that no code was found for and that have to be there.
  var absent: [String] { profile.requiredModules.filter { !found.contains($0) } }

  /// What becomes of the calls of a process's code, by what it has mapped now.
  mutating func regionMap(for map: ProcessMap) throws(ProfileError) -> RegionMap {
    // What an escaping closure may not change in place.
    let names = FoundNames()
    let regions = try profile.presentRegionMap(finding: { name throws(CodeNameError) in
      guard let ranges = try? map.code(of: name.name) else {
        throw CodeNameError(problem: "", remedy: nil, isAbsence: true)
      }
      names.found.insert(name.name)
      guard let writable = name.writable else { return ranges }
      let kept = Set(map.mappings.filter { $0.isWritable == writable }.map(\.range))
      let chosen = ranges.filter(kept.contains)
      if chosen.isEmpty { throw CodeNameError(problem: "", remedy: nil, isAbsence: true) }
      return chosen
    })
    found.formUnion(names.found)
    return regions
  }

  /// The program of code that the profile does not name.
  var programByDefault: Range<Int> { program(of: profile.defaultDisposition) }

  /// The program of a disposition, as a place among ``instructions``.
  func program(of disposition: Disposition) -> Range<Int> { programs[disposition] ?? 0..<0 }
}

private final class FoundNames {
  var found: Set<String> = []
}
