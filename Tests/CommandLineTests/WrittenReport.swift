import Foundation
import SystemPackage
import Testing

/// What `cordon run --report` writes.
struct WrittenReport: Decodable {
  struct Row: Decodable {
    struct Site: Decodable {
      let offset: String
      let symbol: String?
      let calls: Int
    }
    let module: String?
    let system: Bool
    let call: String
    let calls: Int
    let errors: Int
    let timed: Int
    let time_ns: Int
    let first_site: Site

    /// The last part of the module's path.
    var moduleName: String { module?.split(separator: "/").last.map(String.init) ?? "nowhere" }
  }
  let schema: String
  let program: [String]
  let exit_status: Int?
  let calls: Int
  let calls_from_elsewhere: Int
  let lost_calls: Int
  let rows: [Row]

  init(_ folder: FilePath, _ name: String = "report") throws {
    let data = try Data(contentsOf: URL(filePath: folder.appending(name).string))
    self = try JSONDecoder().decode(WrittenReport.self, from: data)
  }

  /// What is reported of a program that prints just this, exits with 3 and loses no calls.
  static func ofRun(
    _ options: [String], _ command: [String], in folder: FilePath, printing output: String = ""
  ) async throws -> WrittenReport {
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run"] + options + ["--report", "report", "--"] + command, in: folder)
    #expect(
      outcome.status == 3 && outcome.output == output && outcome.error.isEmpty,
      "\(options): \(outcome.output)\(outcome.error)")
    let report = try WrittenReport(folder)
    #expect(report.lost_calls == 0)
    return report
  }
}

extension Sequence<WrittenReport.Row> {
  /// How many calls each module has made.
  var callsByModule: [String: Int] {
    Dictionary(map { ($0.moduleName, $0.calls) }, uniquingKeysWith: +)
  }
}
