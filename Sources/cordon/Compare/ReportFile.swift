import CordonComparator

/// Reports of earlier comparisons, named on the command line; `-` is standard input.
enum ReportFile {
  /// Far more than all mechanisms with all workloads need.
  private static let limit = 64 << 20

  /// Reads the reports in their order.
  static func read(_ names: [String]) throws(CommandFailure) -> [ComparisonDocument] {
    var documents: [ComparisonDocument] = []
    for file in try ReadableFile.files(names, others: "reports") {
      let bytes = try file.bytes(limit: limit)
      do throws(ComparisonDocumentError) {
        documents.append(try ComparisonDocument(json: bytes))
      } catch {
        throw .badInput(file.name, "\(error)", remedy: "`cordon compare --json FILE` writes what can be merged")
      }
    }
    return documents
  }
}
