/// The order in which decision diagrams ask for the words of a call; within a word the highest bit comes first.
///
/// Any order is right. One like that of the programs makes diagrams small, so words come in the order in which the
/// programs load them, and the upper half of a 64-bit value before its lower one.
struct WordOrder {
  /// For each place, the word that is asked for there.
  private let words: [DataWord]
  /// For each word, its place.
  private var places = [Int](repeating: 0, count: 16)

  init(_ programs: [Program]) {
    let all: [DataWord] = [.architecture, .number, .instructionPointerLow] + (0..<6).map(DataWord.argumentLow)
    let loaded = programs.lazy.flatMap(\.operations).compactMap { operation -> DataWord? in
      if case .loadData(let word) = operation { word } else { nil }
    }
    var words: [DataWord] = []
    for word in Array(loaded) + all where !words.contains(word) {
      guard let other = word.otherHalf else {
        words.append(word)
        continue
      }
      words += word.isHighHalf ? [word, other] : [other, word]
    }
    self.words = words
    for (place, word) in words.enumerated() { places[word.index] = place }
  }

  /// The place of a bit, 0...511.
  func level(of word: DataWord, bit: Int) -> UInt32 { UInt32(places[word.index] * 32 + 31 - bit) }

  /// The word and the bit that are asked for at a place.
  func bit(at level: UInt32) -> (word: DataWord, bit: Int) { (words[Int(level / 32)], Int(31 - level % 32)) }

  /// Whether the bit at a place is 1 in a call.
  func isSet(_ level: UInt32, in data: SeccompData) -> Bool {
    let (word, mask) = (words[Int(level / 32)], UInt32(1) << (31 - level % 32))
    return data[word] & mask != 0
  }

  /// Changes the bit at a place.
  func set(_ level: UInt32, to bit: Bool, in data: inout SeccompData) {
    guard isSet(level, in: data) != bit else { return }
    let word = words[Int(level / 32)]
    let shift = UInt64(31 - level % 32) + (word.isHighHalf ? 32 : 0)
    switch word.index {
    case 0: data.number ^= 1 << UInt32(shift)
    case 1: data.architecture = AuditArchitecture(rawValue: data.architecture.rawValue ^ 1 << UInt32(shift))
    case 2, 3: data.instructionPointer ^= 1 << shift
    default: data.arguments[(word.index - 4) / 2] ^= 1 << shift
    }
  }
}
