/// The numbers of the calls that the guest makes (asm/unistd_64.h), spelled out so that a wrong table elsewhere shows.
enum Number {
  static let read = 0
  static let write = 1
  static let close = 3
  static let mmap = 9
  static let munmap = 11
  static let rtSigaction = 13
  static let rtSigprocmask = 14
  static let rtSigreturn = 15
  static let schedYield = 24
  static let nanosleep = 35
  static let getpid = 39
  static let clone = 56
  static let fork = 57
  static let vfork = 58
  static let exit = 60
  static let wait4 = 61
  static let kill = 62
  static let getuid = 102
  static let getgid = 104
  static let getppid = 110
  static let rtSigsuspend = 130
  static let sigaltstack = 131
  static let prctl = 157
  static let archPrctl = 158
  static let gettid = 186
  static let ioSetup = 206
  static let restartSyscall = 219
  static let timerCreate = 222
  static let timerSettime = 223
  static let timerDelete = 226
  static let epollCtl = 233
  static let tgkill = 234
  static let pselect6 = 270
  static let ppoll = 271
  static let epollPwait = 281
  static let epollCreate1 = 291
  static let seccomp = 317
  static let ioPgetevents = 333
  static let memfdCreate = 319
  static let ioUringSetup = 425
  static let ioUringEnter = 426
  static let clone3 = 435
  static let epollPwait2 = 441
}

/// Numbers of the i386 interface (asm/unistd_32.h), which `int $0x80` uses.
enum OldNumber {
  static let write = 4
  static let getpid = 20
  static let getuid = 199
}
