import Cordon
import Glibc
import GuestCode
import Testing
import TrapEngine

/// A session whose trapped code is one or more templates, the template `call` among them, and whose hook is in C.
final class Guest: Sendable {
  let session: Session
  let log = HookLog()
  private let places: [GuestTemplate: Region]
  /// Memory for what calls point to; it may be used by one thread at a time.
  nonisolated(unsafe) let scratch = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 4096)

  /// - Parameter mechanism: by name, since a name can be carried into an exit test.
  init(
    _ mechanism: String, _ templates: GuestTemplate..., default: Session.Default = .allow,
    options: Session.Options = [], hook: @escaping CordonTrapHook = guest_hook
  ) throws {
    let named = try #require(Mechanism(rawValue: mechanism))
    session = try Session(mechanism: named, default: `default`, options: options)
    var places: [GuestTemplate: Region] = [:]
    for template in templates + [.call] { places[template] = try session.mapExecutable(template.code) }
    self.places = places
    try session.setHook(log.hook(hook))
  }

  /// Activates the session, and says why where that is refused: an error thrown in an exit test is not told.
  func activate(for scope: Session.Scope = .callingThread) throws(SessionError) {
    do throws(SessionError) {
      try session.activate(for: scope)
    } catch {
      Issue.record("not activated: \(error)")
      throw error
    }
  }

  func region(_ template: GuestTemplate) -> Region {
    guard let region = places[template] else { preconditionFailure("\(template) was not asked for") }
    return region
  }

  func address(_ template: GuestTemplate) -> UInt64 { region(template).range.start }

  /// A template as a C function.
  func function<Function>(_ template: GuestTemplate, as type: Function.Type) -> Function {
    unsafeBitCast(UInt(address(template)), to: type)
  }

  /// A system call by trapped code. Its result as the kernel returns it: a negated errno for a failure.
  @discardableResult
  func call(_ number: Int, _ arguments: Int...) -> Int {
    let all = arguments + [Int](repeating: 0, count: 6 - arguments.count)
    return function(.call, as: GuestCall.self)(number, all[0], all[1], all[2], all[3], all[4], all[5])
  }

  /// The same by `int $0x80`.
  func call32(_ number: Int, _ arguments: Int...) -> Int {
    let all = arguments + [Int](repeating: 0, count: 6 - arguments.count)
    return function(.call32, as: GuestCall.self)(number, all[0], all[1], all[2], all[3], all[4], all[5])
  }
}

typealias GuestCall = @convention(c) (Int, Int, Int, Int, Int, Int, Int) -> Int
typealias GuestFunction = @convention(c) (UnsafeMutableRawPointer?) -> Int

extension GuestTemplate {
  var code: [UInt8] {
    let code = guest_template_code(self)
    return [UInt8](UnsafeBufferPointer(start: code.start, count: code.size))
  }
}

/// The mechanisms that this kernel has, by name; what it lacks is said once, with the reason.
let mechanisms: [String] = Mechanism.allCases.compactMap { mechanism in
  guard let reason = mechanism.unavailability() else { return mechanism.rawValue }
  print("not tested here: \(mechanism.rawValue), since \(reason)")
  return nil
}

/// A system call by code that is not trapped, to compare with.
@discardableResult
func nativeCall(_ number: Int, _ arguments: Int...) -> Int {
  let all = arguments + [Int](repeating: 0, count: 6 - arguments.count)
  return guest_native_call(number, all[0], all[1], all[2], all[3], all[4], all[5])
}

/// Says what differs, also where the expectation fails in a child process.
func check<Value: Equatable>(
  _ found: Value, _ wanted: Value, _ what: String, at location: SourceLocation = #_sourceLocation
) {
  #expect(found == wanted, "\(what): \(found) instead of \(wanted)", sourceLocation: location)
}

extension UnsafeMutableRawPointer {
  /// Writes a value at an offset, and gives its address as the argument of a call.
  func holding<Value>(_ value: Value, at offset: Int = 0) -> Int {
    storeBytes(of: value, toByteOffset: offset, as: Value.self)
    return Int(bitPattern: self + offset)
  }

  func read<Value>(_ type: Value.Type, at offset: Int) -> Value { load(fromByteOffset: offset, as: type) }
}
