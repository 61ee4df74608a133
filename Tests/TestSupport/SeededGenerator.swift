@_exported import SeededNumbers

/// What makes a test's random cases, so that a failure can be repeated.
package typealias SeededGenerator = SplitMix64
