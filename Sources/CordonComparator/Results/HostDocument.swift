/// The machine of a report, as it stands in its JSON.
package struct HostDocument: Sendable, Encodable {
  private var kernel: String
  private var architecture: String
  private var cpu: String
  private var processors: Int
  private var mitigations: [String: String]
  private var jit: String
  private var clock: String
  private var loadBefore: [Double]
  private var loadAfter: [Double]
  private var build: String

  package init(host: Host, loadBefore: [Double], loadAfter: [Double]) {
    kernel = host.kernel
    architecture = host.architecture
    cpu = host.processor
    processors = host.processorCount
    mitigations = host.mitigations
    jit = host.jit.rawValue
    clock = host.clock
    self.loadBefore = loadBefore
    self.loadAfter = loadAfter
    build = BuildMode.current.rawValue
  }

  private enum CodingKeys: String, CodingKey {
    case kernel, architecture, cpu, processors, mitigations, jit, clock, build
    case loadBefore = "load_before"
    case loadAfter = "load_after"
  }
}
