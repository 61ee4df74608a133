import FilterCompiler

/// A tree of comparisons of the call number, as the rivals build it before they make instructions of it.
///
/// Where a tree is used twice it is one object, and becomes instructions once.
final class RivalTree {
  enum Node {
    case answer(Action)
    case test(Operation.Comparison, UInt32, ifTrue: RivalTree, ifFalse: RivalTree)
  }

  let node: Node

  init(_ node: Node) { self.node = node }

  static func test(_ comparison: Operation.Comparison, _ number: UInt32, _ ifTrue: RivalTree, _ ifFalse: RivalTree)
    -> RivalTree
  { RivalTree(.test(comparison, number, ifTrue: ifTrue, ifFalse: ifFalse)) }
}

/// Turns a tree into instructions from the last to the first: a test stands before what it leads to.
struct RivalAssembly {
  private var reversed: [Operation] = []
  private var places: [ObjectIdentifier: Int] = [:]
  /// Which of a test's two sides comes first in the program.
  private let trueComesFirst: Bool

  /// The whole program: the architecture is tested before, with `refusal` behind the test or shared, as both rivals do.
  static func program(
    _ tree: RivalTree, answersFirst answers: [RivalTree], trueComesFirst: Bool
  ) throws(ProgramError) -> Program {
    var assembly = RivalAssembly(trueComesFirst: trueComesFirst)
    for answer in answers { assembly.place(answer) }
    assembly.place(tree)
    assembly.reversed += [
      .loadData(.number), .answer(CallSet.otherArchitecture),
      .branch(.equal, .constant(AuditArchitecture.x86_64.rawValue), jt: 1, jf: 0), .loadData(.architecture),
    ]
    return try Program(assembly.reversed.reversed().map(\.instruction))
  }

  private init(trueComesFirst: Bool) { self.trueComesFirst = trueComesFirst }

  private mutating func place(_ tree: RivalTree) {
    guard places[ObjectIdentifier(tree)] == nil else { return }
    switch tree.node {
    case .answer(let action): reversed.append(.answer(action))
    case .test(let comparison, let number, let ifTrue, let ifFalse):
      for side in trueComesFirst ? [ifFalse, ifTrue] : [ifTrue, ifFalse] { place(side) }
      reversed.append(
        .branch(comparison, .constant(number), jt: UInt8(distance(to: ifTrue)), jf: UInt8(distance(to: ifFalse))))
    }
    places[ObjectIdentifier(tree)] = reversed.count - 1
  }

  /// How many instructions the next one would skip. Filters of the measured size need no jump beyond 255.
  private func distance(to tree: RivalTree) -> Int {
    guard let place = places[ObjectIdentifier(tree)] else {
      preconditionFailure("what a test leads to is placed first")
    }
    return reversed.count - place - 1
  }
}
