import Testing

@testable import CordonComparator

@Suite struct FigureTests {
  @Test(arguments: [
    (0.0, 1, "0.0"), (0.04, 1, "0.0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (-1.25, 1, "-1.3"), (999.96, 1, "1,000.0"),
    (1_234_567.891, 2, "1,234,567.89"), (12, 0, "12"), (1_000, 0, "1,000"), (.nan, 1, "-"), (.infinity, 2, "-"),
  ])
  func `numbers are rounded and grouped`(value: Double, digits: Int, text: String) {
    #expect(Figure.decimal(value, digits: digits) == text)
  }

  @Test func `differences always show their sign`() {
    #expect(Figure.signed(3.21, digits: 1) == "+3.2")
    #expect(Figure.signed(-3.21, digits: 1) == "-3.2")
    #expect(Figure.signed(-0.001, digits: 1) == "+0.0")
  }
}

@Suite struct TextTableTests {
  @Test func `columns are aligned and lines end without blanks`() {
    var table = TextTable([.left, .right, .left])
    table.add(["name", "n", "note"])
    table.add(["a", "1000", ""])
    table.addBlank()
    table.addOpen(["b", "a reason that is longer than its column"])
    #expect(
      table.lines() == [
        "name     n  note", "a     1000", "", "b     a reason that is longer than its column",
      ])
  }
}

@Suite struct TextWrapTests {
  @Test func `lines break between words and no later than at the width`() {
    #expect(TextWrap.lines("one two three", width: 7) == ["one two", "three"])
    #expect(TextWrap.lines("one two three", width: 7, indent: 2) == ["one two", "  three"])
    #expect(TextWrap.lines("immeasurable one", width: 4) == ["immeasurable", "one"])
    #expect(TextWrap.lines("", width: 4).isEmpty)
  }
}
