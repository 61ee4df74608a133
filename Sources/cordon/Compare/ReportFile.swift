import CordonComparator
import SystemPackage

/// Reports of earlier comparisons, named on the command line; `-` is standard input.
enum ReportFile {
  /// Far more than all mechanisms with all workloads need.
  private static let limit = 64 << 20

  /// Reads the reports in their order.
  static func read(_ names: [String]) throws(CommandFailure) -> [ComparisonDocument] {
    guard names.count(where: { $0 == "-" }) <= 1 else {
      throw .usage("standard input", "it can be read only once", remedy: "name the other reports as files")
    }
    var documents: [ComparisonDocument] = []
    for name in names {
      let place = name == "-" ? "standard input" : name
      let bytes: [UInt8]
      do { bytes = try self.bytes(name) } catch { throw .badInput(place, "cannot be read: \(error)") }
      do throws(ComparisonDocumentError) {
        documents.append(try ComparisonDocument(json: bytes))
      } catch {
        throw .badInput(place, "\(error)", remedy: "`cordon compare --json FILE` writes what can be merged")
      }
    }
    return documents
  }

  private static func bytes(_ path: String) throws(Errno) -> [UInt8] {
    try Errno.typed {
      let file =
        path == "-" ? FileDescriptor.standardInput : try FileDescriptor.open(ArgumentPath.path(path), .readOnly)
      defer { if path != "-" { try? file.close() } }
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while bytes.count < limit {
        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
        if count == 0 { break }
        bytes += buffer[..<count]
      }
      return bytes
    }
  }
}
