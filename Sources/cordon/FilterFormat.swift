import ArgumentParser

/// How a compiled filter is written.
enum FilterFormat: String, ExpressibleByArgument, CaseIterable {
  case text, raw, c, json, dot, svg
}
