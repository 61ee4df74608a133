import Glibc
import SystemPackage
import Testing

/// `cordon run`: other code comes to lie where code was known, and a profile's denial goes with the code.
@Suite(.timeLimit(.ofPrograms), .enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"))
struct RunOtherCodeTests {
  private static let library = """
    int plug(void) {
      long result;
      __asm__ volatile("syscall" : "=a"(result) : "0"(110) : "rcx", "r11", "memory");
      return result;
    }
    """

  /// Loads libdenied.so where the process that it has forked off loads libplug.so, and has both call in turn.
  private static let parted = """
    #include <dlfcn.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static int (*load(const char *path))(void) { return (int (*)(void))dlsym(dlopen(path, RTLD_NOW), "plug"); }
    int main(void) {
      int to_child[2], to_parent[2], status;
      char byte;
      pipe(to_child);
      pipe(to_parent);
      pid_t child = fork();
      if (child == 0) {
        int (*plug)(void) = load("./libplug.so"), right = plug() == getppid();
        write(to_parent[1], &plug, sizeof plug);
        read(to_child[0], &byte, 1);
        right += plug() == getppid();
        _exit(right);
      }
      int (*denied)(void) = load("./libdenied.so"), (*plug)(void), right = denied() == -1;
      read(to_parent[0], &plug, sizeof plug);
      right += plug == denied; /* at the same address */
      right += denied() == -1;
      write(to_child[1], "", 1);
      waitpid(child, &status, 0);
      right += denied() == -1;
      return right == 4 && WEXITSTATUS(status) == 2 ? 3 : 4;
    }
    """

  /// Has a process that has lost its parent load libdenied.so.
  private static let orphan = """
    #include <dlfcn.h>
    #include <sys/wait.h>
    #include <unistd.h>
    int main(void) {
      int channel[2], result;
      pipe(channel);
      if (fork() == 0) {
        pid_t parent = getpid();
        if (fork() != 0) _exit(0);
        while (getppid() == parent) usleep(1000);
        result = ((int (*)(void))dlsym(dlopen("./libdenied.so", RTLD_NOW), "plug"))();
        write(channel[1], &result, sizeof result);
        _exit(0);
      }
      wait(0);
      read(channel[0], &result, sizeof result);
      return result == -1 ? 3 : 4;
    }
    """

  /// Brings denied code to where the code of a file has called, in one of many ways.
  private static let replaced = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <sys/shm.h>
    #include <unistd.h>
    static const unsigned char code[] = {0xb8, 110, 0, 0, 0, 0x0f, 5, 0xc3};
    static int file(const char *name) {
      int file = open(name, O_RDWR | O_CREAT, 0700);
      write(file, code, sizeof code);
      return file;
    }
    static long old(long number, void *a, long b, long c, long d, long e) {
      int result;
      __asm__ volatile("push %%rbp; xor %%ebp, %%ebp; int $0x80; pop %%rbp" : "=a"(result)
        : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
      return result;
    }
    int main(int count, char **arguments) {
      int free_code = file("free"), denied = file("denied"), own, flags = MAP_PRIVATE | MAP_FIXED;
      int (*at)(void) = mmap((void *)0x20000000, 4096, PROT_READ | PROT_EXEC, flags, free_code, 0);
      void *other = mmap((void *)0x30000000, 4096, PROT_READ | PROT_EXEC, flags, denied, 0);
      if (at() != getppid()) return 5;
      switch (*arguments[1]) {
      case 'f': mmap(at, 1, PROT_READ | PROT_EXEC, flags, denied, 0); break;
      case 'm': mremap(other, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at); break;
      case 'u':
        munmap(at, 1);
        mmap(at, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, denied, 0);
        break;
      case 's':
        own = shmget(IPC_PRIVATE, 4096, 0700);
        memcpy(shmat(own, 0, 0), code, sizeof code);
        shmat(own, at, SHM_EXEC | SHM_REMAP);
        shmctl(own, IPC_RMID, 0);
        break;
      case 'd':
        own = shmget(IPC_PRIVATE, 4096, 0700);
        munmap(at, 4096);
        memcpy(shmat(own, at, SHM_EXEC), code, sizeof code);
        shmctl(own, IPC_RMID, 0);
        if (at() != -1) return 6;
        shmdt(at);
        mmap(at, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, free_code, 0);
        return at() == getppid() ? 3 : 7;
      case 'b': {
        char *heap = sbrk(8192);
        memcpy(heap, code, sizeof code);
        mprotect(heap, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
        if (((int (*)(void))heap)() != -1) return 6;
        brk(heap);
        at = mmap(heap, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, free_code, 0);
        return at == (void *)heap && at() == getppid() ? 3 : 7;
      }
      case '2': old(192, at, 4096, PROT_READ | PROT_EXEC, flags, denied); break;
      case 'M': old(163, other, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (long)at); break;
      case 'U':
        old(91, at, 4096, 0, 0, 0);
        mmap(at, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, denied, 0);
        break;
      case 'p':
        old(125, at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0);
        break;
      }
      return at() == -1 ? 3 : 4;
    }
    """

  /// Executes itself from memory, from a file that is deleted, and by its name; its own code calls.
  private static let again = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <sys/mman.h>
    #include <sys/sendfile.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static int own(void) {
      long result;
      __asm__ volatile("syscall" : "=a"(result) : "0"(110) : "rcx", "r11", "memory");
      return result;
    }
    static int is_denied_in(int file, char **arguments) {
      int status;
      if (fork() == 0) {
        char *words[] = {arguments[0], "own", 0};
        execveat(file, file < 0 ? "/proc/self/exe" : "", words, environ, AT_EMPTY_PATH);
        _exit(9);
      }
      wait(&status);
      return status == 0;
    }
    int main(int count, char **arguments) {
      if (count > 1) return own() == -1 ? 0 : 1;
      int file = open("/proc/self/exe", O_RDONLY), memory = memfd_create("own", MFD_CLOEXEC);
      sendfile(memory, file, 0, 1 << 20);
      int right = is_denied_in(memory, arguments);
      if (unlink(arguments[0]) != 0) return 5;
      return right + is_denied_in(file, arguments) + is_denied_in(-1, arguments) == 3 ? 3 : 4;
    }
    """

  /// Nobody else may read what it has mapped.
  private static let hidden = """
    #include <dlfcn.h>
    #include <sys/prctl.h>
    int main(void) {
      prctl(PR_SET_DUMPABLE, 0);
      ((int (*)(void))dlsym(dlopen("./libdenied.so", RTLD_NOW), "plug"))();
      return 3;
    }
    """

  private static let profile = """
    default: allow
    regions:
      - {code: [libdenied.so, denied, anonymous, 'SYSV*'], disposition: errno EPERM, optional: true}
      - {code: free, writable: true, disposition: errno EPERM, optional: true}
    """

  private func folder(_ source: String) async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try await Compiler.build(source, as: "guest", in: folder.path, ["-w"])
    for name in ["libplug.so", "libdenied.so"] {
      try await Compiler.build(Self.library, as: name, in: folder.path, ["-shared", "-fPIC"])
    }
    _ = try folder.write(Array(Self.profile.utf8), to: "profile")
    return folder
  }

  private func run(_ source: String, _ arguments: String...) async throws {
    let folder = try await folder(source)
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--profile", "profile", "./guest"] + arguments, in: folder.path)
    #expect(outcome.status == 3 && outcome.error.isEmpty, "\(arguments): \(outcome.error)")
  }

  /// Whose code it is that lies at an address is each process's own business.
  @Test func aForkedProcessLoadsOtherCodeAtTheSameAddress() async throws { try await run(Self.parted) }

  @Test func aProcessWithoutItsParentLoadsDeniedCode() async throws { try await run(Self.orphan) }

  @Test(arguments: ["f", "m", "u", "s", "d", "b", "2", "M", "U", "p"])
  func deniedCodeTakesThePlaceOfOther(_ way: String) async throws { try await run(Self.replaced, way) }

  /// The program is the program, also where no path leads to its file any more.
  @Test func deniedProgramsAreDeniedFromMemoryToo() async throws {
    let folder = try await folder(Self.again)
    _ = try folder.write(
      Array("default: allow\nregions: [{code: exe, disposition: errno EPERM}]\n".utf8), to: "profile")
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--profile", "profile", "./guest"], in: folder.path)
    #expect(outcome.status == 3 && outcome.error.isEmpty, "\(outcome.error)")
  }

  /// What nobody may look at is not let through for that.
  @Test func aProcessThatCannotBeLookedAtIsEnded() async throws {
    let folder = try await folder(Self.hidden)
    #expect(chmod(folder.path.string, 0o777) == 0)
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--profile", "profile", "./guest"], in: folder.path, user: getuid() == 0 ? 65534 : nil)
    #expect(outcome.status == 128 + SIGKILL)
    #expect(outcome.error.contains("whose code calls cannot be read"), "\(outcome.error)")
  }
}
