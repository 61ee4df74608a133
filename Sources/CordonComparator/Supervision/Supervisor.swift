/// The process that answers a measured process's calls from outside. It ends when that one does.
package enum Supervisor {
  /// Supervises until the other process ends.
  /// - Throws: ``MeasurementError`` where that cannot begin.
  package static func run(_ request: SupervisionRequest) throws(MeasurementError) {
    // Whatever happens, it must not outlive the one it serves.
    ProcessControl.endWithParent()
    let record = try SupervisionRecord(inherited: request.record)
    if request.kind.usesPtrace {
      var tracer = try CallTracer(request)
      try tracer.run(record)
    } else {
      try NotificationListener(request, record).run(record)
    }
  }
}
