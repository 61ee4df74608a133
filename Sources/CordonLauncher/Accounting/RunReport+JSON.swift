import FilterCompiler

extension RunReport {
  /// The document `cordon.run/1`.
  package func json(program: [String], end: ProgramEnd) -> String {
    var symbols = Symbols(names)
    func site(_ row: Row, _ site: Site) -> String {
      let function = symbols.function(row.module, site.offset).map { JSONText.string($0).text } ?? "null"
      return "{\"offset\": \"0x\(String(site.offset, radix: 16))\", \"symbol\": \(function), \"calls\": \(site.calls)}"
    }
    var rowTexts: [String] = []
    for row in rows {
      let module = row.module.map { names[$0] }
      rowTexts.append(
        "    {\"module\": \(module.map { JSONText.string($0.path).text } ?? "null"), "
          + "\"system\": \(isSystem(row)), \"call\": \(JSONText.string(row.call).text), "
          + "\"number\": \(row.number), \"architecture\": \(JSONText.string(row.architecture).text), "
          + "\"calls\": \(row.totals.calls), \"errors\": \(row.totals.errors), \"timed\": \(row.totals.timed), "
          + "\"time_ns\": \(nanoseconds(row.totals)), \"first_site\": \(site(row, row.firstSite)), "
          + "\"hottest_site\": \(site(row, row.hottestSite))}")
    }
    let status =
      switch end {
      case .exited(let status): "\"exit_status\": \(status), \"signal\": null"
      case .signalled(let signal): "\"exit_status\": null, \"signal\": \(signal)"
      }
    return """
      {
        "schema": "cordon.run/1",
        "program": [\(program.map { JSONText.string($0).text }.joined(separator: ", "))],
        \(status),
        "duration_ns": \(duration),
        "calls": \(calls),
        "calls_from_elsewhere": \(callsFromElsewhere),
        "lost_calls": \(lostCalls),
        "lost_records": \(lostRecords + unfinishedRecords),
        "rows": [\(rowTexts.isEmpty ? "" : "\n" + rowTexts.joined(separator: ",\n") + "\n  ")]
      }

      """
  }
}
