import Glibc

/// The functions of an ELF file, by where in the file their code lies.
struct SymbolTable {
  private struct Symbol {
    let offset: UInt64
    let size: UInt64
    let name: String
  }

  private var symbols: [Symbol] = []
  /// Whether functions that the file does not export are among them.
  private var isComplete = false

  /// Reads the symbols of a file: all where it has them, else those that it exports. Without any where it is no ELF file
  /// of this machine's kind, or cannot be read.
  init(path: String) {
    guard let file = MappedFile(path: path), let image = Image(file) else { return }
    let functions = image.functions(.all)
    isComplete = !functions.isEmpty
    symbols = (isComplete ? functions : image.functions(.exported)).map {
      Symbol(offset: $0.offset, size: $0.size, name: $0.name)
    }
    symbols.sort { $0.offset < $1.offset }
  }

  /// `NAME`, or `NAME+0xN` for a place N bytes into it; nil where no function is known there.
  func name(at offset: UInt64) -> String? {
    var (low, high) = (0, symbols.count)
    while low < high {
      let middle = (low + high) / 2
      if symbols[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let symbol = symbols[low - 1]
    let distance = offset - symbol.offset
    // Assembly functions often have no size, and others may follow that are not exported.
    guard symbol.size == 0 ? isComplete && distance < 4096 || distance == 0 : distance < symbol.size else { return nil }
    return distance == 0 ? symbol.name : symbol.name + "+0x" + String(distance, radix: 16)
  }

  /// An ELF file's own description of itself. Every access is checked: the file may be cut off, or lie.
  private struct Image {
    private let file: MappedFile
    private let segments: [(offset: UInt64, address: UInt64, size: UInt64)]

    init?(_ file: MappedFile) {
      guard file.bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return nil }
      self.file = file
      let (start, size, count) = (file.number(32, 8), file.number(54, 2), file.number(56, 2))
      segments = (0..<count).compactMap { index in
        let at = start &+ index &* size
        guard file.number(at, 4) == 1 else { return nil }
        return (file.number(at &+ 8, 8), file.number(at &+ 16, 8), file.number(at &+ 32, 8))
      }
    }

    enum Kind: UInt64 {
      case all = 2  // SHT_SYMTAB
      case exported = 11  // SHT_DYNSYM
    }

    func functions(_ kind: Kind) -> [(offset: UInt64, size: UInt64, name: String)] {
      let (start, size, count) = (file.number(40, 8), file.number(58, 2), file.number(60, 2))
      let sections = (0..<count).map { start &+ $0 &* size }
      for section in sections where file.number(section &+ 4, 4) == kind.rawValue {
        let strings = start &+ file.number(section &+ 40, 4) &* size
        let found = functions(
          at: file.number(section &+ 24, 8), size: file.number(section &+ 32, 8),
          strings: file.number(strings &+ 24, 8))
        if !found.isEmpty { return found }
      }
      return []
    }

    private func functions(
      at start: UInt64, size: UInt64, strings: UInt64
    ) -> [(offset: UInt64, size: UInt64, name: String)] {
      (0..<min(size / 24, UInt64(file.bytes.count) / 24)).compactMap { index in
        let at = start &+ index &* 24
        let (kind, section) = (file.number(at &+ 4, 1) & 15, file.number(at &+ 6, 2))
        // Functions, indirect ones, and what assemblers leave without a type; defined here.
        guard [2, 10, 0].contains(kind), section != 0, section < 0xff00 else { return nil }
        guard let offset = offset(of: file.number(at &+ 8, 8)) else { return nil }
        let name = file.text(strings &+ file.number(at, 4))
        return name.isEmpty ? nil : (offset, file.number(at &+ 16, 8), name)
      }
    }

    private func offset(of address: UInt64) -> UInt64? {
      segments.first { $0.address <= address && address - $0.address < $0.size }.map {
        address - $0.address + $0.offset
      }
    }
  }
}
