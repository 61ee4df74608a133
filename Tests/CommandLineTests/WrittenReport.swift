import Foundation
import SystemPackage

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
}

extension Sequence<WrittenReport.Row> {
  /// How many calls each module has made.
  var callsByModule: [String: Int] {
    Dictionary(map { ($0.moduleName, $0.calls) }, uniquingKeysWith: +)
  }
}
