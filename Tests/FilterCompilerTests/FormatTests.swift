import FilterCompiler
import Testing

@Suite struct FormatTests {
  private func example() throws -> (map: RegionMap, program: Program) {
    var map = RegionMap(default: .allow)
    try map.insert(range(0x7f12_3456_0000, 0x7f12_3457_0000), .errno(1))
    try map.insertDontCare(range(0x7f11_f000_0000, 0x7f12_3456_0000))
    try map.insertDontCare(range(0x7f12_3457_0000, 0x7f13_0000_0000))
    return (map, try map.compile())
  }

  @Test func cSourceHoldsTheArrayAndSaysWhatItDoes() throws {
    let format = try #require(CSourceFormat(name: "my_filter"))
    #expect(
      format.text(of: try example().program) == """
        #include <linux/filter.h>

        static const struct sock_filter my_filter[] __attribute__((unused)) = {
        \t{ 0x20, 0, 0, 0xc }, /* 0000: A = ip.high */
        \t{ 0x15, 1, 0, 0x7f12 }, /* 0001: if (ip >> 32 == 0x7f12) goto 0003 */
        \t{ 0x6, 0, 0, 0x7fff0000 }, /* 0002: return allow */
        \t{ 0x6, 0, 0, 0x50001 }, /* 0003: return errno 1 */
        };

        """)
  }

  @Test(arguments: ["", "1st", "a-b", "a b", "é", "x;"])
  func cNamesAreIdentifiers(name: String) { #expect(CSourceFormat(name: name) == nil) }

  @Test func noNameEndsAComment() throws {
    let disassembler = Disassembler { _, _ in "*/ evil /*" }
    let program = try Program(
      [Operation.loadData(.number), .branch(.equal, .constant(1), jt: 0, jf: 0), .answer(Action(.allow))].map(
        \.instruction))
    let text = try #require(CSourceFormat(disassembler: disassembler)).text(of: program)
    #expect(text.contains("* / evil / *"))
  }

  @Test func jsonSaysWhatWasCompiledAndInto() throws {
    let (map, program) = try example()
    #expect(
      JSONFormat(map: map).text(of: program) == """
        {
          "schema": "cordon.filter/1",
          "architecture": "x86_64",
          "default": "allow",
          "regions": [
            {"start": "0x7f1234560000", "end": "0x7f1234570000", "disposition": "errno 1"}
          ],
          "dont_care": [
            {"start": "0x7f11f0000000", "end": "0x7f1234560000"},
            {"start": "0x7f1234570000", "end": "0x7f1300000000"}
          ],
          "instructions": [
            {"code": 32, "jt": 0, "jf": 0, "k": 12, "text": "A = ip.high"},
            {"code": 21, "jt": 1, "jf": 0, "k": 32530, "text": "if (ip >> 32 == 0x7f12) goto 0003"},
            {"code": 6, "jt": 0, "jf": 0, "k": 2147418112, "text": "return allow"},
            {"code": 6, "jt": 0, "jf": 0, "k": 327681, "text": "return errno 1"}
          ]
        }

        """)
  }

  @Test func jsonHasStagesAndPoliciesAsData() throws {
    let condition = try ArgumentCondition(argument: 2, .masked(4, equal: 0))
    let policy = try Policy(
      name: "reader",
      tables: [
        .x86_64: Policy.Table(
          [Policy.Rule(0, Action(.allow)), Policy.Rule(9, where: [condition], Action(.trap))],
          otherwise: Action(.errno, data: 1)),
        .i386: Policy.Table([], otherwise: Action(.allow)),
      ])
    var map = RegionMap(architecture: .x86_64, default: .allow)
    let body = Disposition.policy(try PlainPolicyProgram.body(of: policy))
    try map.insert(range(0x1000, 0x2000), body)
    try map.insert(range(0x3000, 0x4000), body)
    let options = CompileOptions(
      checkedArchitectures: [.x86_64, .i386], x32: .errno(38), allowedNumbers: [39],
      gate: try range(0x8000, 0x9000), globalTrapNumbers: [13], foreignTrapNumbers: [.i386: [174, 67]], trapData: 5)
    let format = JSONFormat(
      map: map, options: options, disassembler: Disassembler { number, _ in number == 0 ? "read" : nil })
    let text = format.text(of: try map.compile(options))
    #expect(
      text.hasPrefix(
        """
        {
          "schema": "cordon.filter/1",
          "architecture": "x86_64",
          "default": "allow",
          "regions": [
            {"start": "0x1000", "end": "0x2000", "disposition": "policy reader"},
            {"start": "0x3000", "end": "0x4000", "disposition": "policy reader"}
          ],
          "dont_care": [],
          "stages": {"checked_architectures": ["x86_64", "i386"], "other_architectures": "kill process", \
        "x32_calls": "errno 38", "allowed_calls": {"x86_64": [39]}, \
        "gate": {"start": "0x8000", "end": "0x9000"}, "trapped_calls": {"i386": [174, 67], "x86_64": [13]}, \
        "trapped_calls_data": 5},
          "policies": [
            {"name": "reader", "tables": {"x86_64": {"default": "errno 1", "rules": [\
        {"number": 0, "call": "read", "then": "allow"}, \
        {"number": 9, "when": ["arg2 & 0x4 == 0x0"], "then": "trap"}]}, \
        "i386": {"default": "allow", "rules": []}}, "other_architectures": "kill process"}
          ],
          "instructions": [

        """), "\(text)")
  }

  @Test func jsonStringsAreEscaped() throws {
    let disassembler = Disassembler { _, _ in "a\"b\\c\nd\u{1}" }
    let program = try Program(
      [Operation.loadData(.number), .branch(.equal, .constant(1), jt: 0, jf: 0), .answer(Action(.allow))].map(
        \.instruction))
    let text = JSONFormat(disassembler: disassembler).text(of: program)
    #expect(text.contains(#"nr == a\"b\\c\u000ad\u0001"#))
  }
}
