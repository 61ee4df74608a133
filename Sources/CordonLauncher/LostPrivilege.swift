import Glibc

/// Programs whose file gives them another user's privilege, which no_new_privs keeps from them.
enum LostPrivilege {
  /// The path of the program that a process runs, where its privilege is lost; nil where it has none to lose.
  static func program(of process: Int32) -> String? {
    let link = "/proc/\(process)/exe"
    var status = stat()
    guard stat(link, &status) == 0 else { return nil }
    let changesUser = status.st_mode & S_ISUID != 0 && status.st_uid != geteuid()
    // Without the group's right to execute, the bit stands for mandatory locking (inode(7)).
    let changesGroup = status.st_mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP && status.st_gid != getegid()
    guard changesUser || changesGroup else { return nil }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink(link, &buffer, buffer.count)
    return String(decoding: buffer[..<max(length, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
