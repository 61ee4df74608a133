/// Numbers as people read them.
package enum Figure {
  /// With so many digits after the point, rounded half away from zero, and commas between thousands.
  package static func decimal(_ value: Double, digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "-" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    let fraction = String(scaled % scale + scale).dropFirst()
    return sign + grouped(scaled / scale) + (digits > 0 ? "." + fraction : "")
  }

  /// The same with its sign always shown.
  package static func signed(_ value: Double, digits: Int) -> String {
    let text = decimal(value, digits: digits)
    return text.hasPrefix("-") ? text : "+" + text
  }

  /// With commas between thousands.
  package static func grouped(_ value: Int) -> String {
    var digits = Array(String(value.magnitude))
    for position in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: position) }
    return (value < 0 ? "-" : "") + String(digits)
  }
}
