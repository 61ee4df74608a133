import Glibc
import SystemPackage
import Testing

/// What the linker is told of the order of functions, and who finds it out (`make order`).
struct LinkOrderTests {
  private static let tool = CordonBinary.path.removingLastComponent().appending("link-order")

  /// A function is named where it is first run, once, and not at all where it is not.
  @Test func functionsAreNamedInTheOrderInWhichTheyRun() async throws {
    let folder = try TemporaryFolder()
    let program = """
      #define APART __attribute__((noinline))
      APART int last(int n) { __asm__ volatile(""); return n - 1; }
      APART int never(int n) { __asm__ volatile(""); return n * 2; }
      APART int second(int n) { __asm__ volatile(""); return last(n) + n; }
      APART int first(int n) { __asm__ volatile(""); return n * n; }
      int main(int n, char **words) {
        if (n > 1) return never(n);
        int sum = first(n);
        sum += second(n);
        return sum + first(n) - 3;
      }
      """
    try await Compiler.build(program, as: "program", in: folder.path, ["-static", "-no-pie"])
    let outcome = try await CordonBinary.run(Self.tool, [folder.path.appending("program").string])
    #expect(outcome.status == 0, "\(outcome.error)")
    let own = outcome.lines.filter { ["main", "first", "second", "last", "never"].contains($0) }
    #expect(own == ["main", "first", "second", "last"])
  }

  /// A command that fails leaves no order behind that looks like one.
  @Test func aFailureShows() async throws {
    #expect(try await CordonBinary.run(Self.tool, ["/bin/false"]).status == 1)
    #expect(try await CordonBinary.run(Self.tool, []).status == 64)
  }
}
