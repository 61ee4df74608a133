/// The machine of a report, as it stands in its JSON.
package struct HostDocument: Sendable, Hashable, Codable {
  package var kernel: String
  package var architecture: String
  package var cpu: String
  package var processors: Int
  package var mitigations: [String: String]
  package var jit: String
  package var clock: String
  package var loadBefore: [Double]
  package var loadAfter: [Double]
  package var build: String

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
