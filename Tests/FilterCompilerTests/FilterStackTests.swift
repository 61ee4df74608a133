import FilterCompiler
import Testing

@Suite struct FilterStackTests {
  private func stack(_ actions: [Action]) throws -> FilterStack {
    FilterStack(try actions.map { try Program([Operation.answer($0).instruction]) })
  }

  /// The order of kernel/seccomp.c: the strictest first.
  private static let order: [Action.Kind] = [
    .killProcess, .killThread, .trap, .errno, .notify, .trace, .log, .allow,
  ]

  @Test func theStrictestAnswerWinsWhoeverGivesIt() throws {
    for (index, strict) in Self.order.enumerated() {
      for lenient in Self.order[(index + 1)...] {
        for (actions, deciding) in [([strict, lenient], 0), ([lenient, strict], 1)] {
          let result = try stack(actions.map { Action($0, data: 3) }).evaluate(SeccompData(nr: 0))
          #expect(result.action == Action(strict, data: 3))
          #expect(result.deciding == deciding)
          #expect(result.answers.map(\.action.kind) == actions)
        }
      }
    }
  }

  @Test func ofEqualAnswersTheNewestFiltersDataCounts() throws {
    let result = try stack([Action(.errno, data: 1), Action(.errno, data: 2), Action(.allow)]).evaluate(
      SeccompData(nr: 0))
    #expect(result.action == Action(.errno, data: 2) && result.deciding == 1)
  }

  @Test func whereAllAllowNobodyDecides() throws {
    let result = try stack([Action(.allow, data: 5), Action(.allow)]).evaluate(SeccompData(nr: 0))
    #expect(result.action == Action(.allow) && result.deciding == nil)
    #expect(FilterStack([]).evaluate(SeccompData(nr: 0)).action == Action(.allow))
  }

  @Test func dispositionsAreWhatTheKernelCallsThem() {
    // SECCOMP_RET_* of linux/seccomp.h.
    #expect(Disposition.killProcess.action?.rawValue == 0x8000_0000)
    #expect(Disposition.killThread.action?.rawValue == 0)
    #expect(Disposition.trap(data: 0x1234).action?.rawValue == 0x0003_1234)
    #expect(Disposition.errno(1).action?.rawValue == 0x0005_0001)
    #expect(Disposition.notify.action?.rawValue == 0x7fc0_0000)
    #expect(Disposition.trace(9).action?.rawValue == 0x7ff0_0009)
    #expect(Disposition.log.action?.rawValue == 0x7ffc_0000)
    #expect(Disposition.allow.action?.rawValue == 0x7fff_0000)
    #expect(Action(rawValue: 0x1234_0000).kind == nil)
  }
}
