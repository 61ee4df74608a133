import SystemPackage
import Testing

/// `cordon run`: modules that come and go often, lie where loaders put few, change, or are very many.
@Suite(.timeLimit(.ofPrograms), .enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"))
struct RunModulesTests {
  private static let loader = """
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <unistd.h>
    int main(int count, char **arguments) {
      int right = 0, times = atoi(arguments[2]);
      for (int i = 0; i < times; i++) {
        void *library = dlopen(arguments[1], RTLD_NOW);
        int result = ((int (*)(void))dlsym(library, "plug"))();
        right += count > 3 ? result == -1 : result == getppid();
        dlclose(library);
      }
      return right == times ? 3 : 4;
    }
    """

  /// Code of the program's file, which calls 5 times, 7 times when it can be written, and 9 times when it cannot any more.
  private static let writable = """
    #include <stdint.h>
    #include <sys/mman.h>
    __attribute__((noinline, section(".text.call"), aligned(4096))) static void call(int times) {
      long result;
      while (times-- > 0) __asm__ volatile("syscall" : "=a"(result) : "0"(110) : "rcx", "r11", "memory");
    }
    int main(void) {
      void *page = (void *)((uintptr_t)call & -4096l);
      call(5);
      if (mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) return 4;
      call(7);
      if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return 4;
      call(9);
      return 3;
    }
    """

  /// Code of a file, which calls 5 times, and code of none that is moved there and calls 7 times.
  private static let moved = """
    #define _GNU_SOURCE
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    static const unsigned char code[] = {0xb8, 110, 0, 0, 0, 0x0f, 5, 0xc3};
    static void call(void *memory, int times) { while (times-- > 0) ((int (*)(void))memory)(); }
    int main(void) {
      int file = memfd_create("code", 0);
      write(file, code, sizeof code);
      unsigned char *own = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
      unsigned char *anonymous = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      memcpy(anonymous, code, sizeof code);
      mprotect(anonymous, 4096, PROT_READ | PROT_EXEC);
      call(own, 5);
      if (mremap(anonymous, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, own) != own) return 4;
      call(own, 7);
      return 3;
    }
    """

  /// More mappings of code than the agent's table has room for; then each calls, and has to fail.
  private static let many = """
    #define _GNU_SOURCE
    #include <sys/mman.h>
    #include <unistd.h>
    int main(void) {
      static const unsigned char code[] = {0xb8, 110, 0, 0, 0, 0x0f, 5, 0xc3};
      static unsigned char *memory[2100];
      int file = memfd_create("code", 0), denied = 0;
      write(file, code, sizeof code);
      for (int i = 0; i < 2100; i++)
        memory[i] = mmap((void *)(0x500000000 + i * 0x4000l), 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
      for (int i = 0; i < 2100; i++) denied += ((int (*)(void))memory[i])() == -1;
      return denied == 2100 ? 3 : 4;
    }
    """

  /// Maps a library's code at an address of its own choice, as no loader does.
  private static let astray = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <sys/mman.h>
    int main(int count, char **arguments) {
      int file = open(arguments[1], O_RDONLY);
      void *at = (void *)0x500000000;
      return mmap(at, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file, 0) == at ? 3 : 4;
    }
    """

  private func folder(_ name: String, _ source: String) async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try await Compiler.build(source, as: name, in: folder.path, ["-w"])
    try await Compiler.buildLibrary("libplug.so", calling: 110, in: folder.path)
    return folder
  }

  /// How often each module has made a call, under these options.
  private func calls(
    _ options: [String], _ command: [String], of name: String = "getppid", in folder: borrowing TemporaryFolder
  ) async throws -> [String: Int] {
    let report = try await WrittenReport.ofRun(options, command, in: folder.path)
    return report.rows.filter { name.isEmpty || $0.call == name }.callsByModule
  }

  /// More often than there is room for modules at places of their own.
  @Test(arguments: [["--trap", "libplug.so"], ["--all"], ["--mechanism", "sud", "--trap", "libplug.so"]])
  func aModuleThatIsLoadedOverAndOverAgain(_ options: [String]) async throws {
    if options.contains("sud"), Mechanisms.lackDispatch { return }
    let folder = try await folder("loader", Self.loader)
    let calls = try await calls(options, ["./loader", "./libplug.so", "2200"], in: folder)
    #expect(calls["libplug.so"] == 2200 && calls["nowhere"] == nil, "\(calls)")
  }

  /// A profile's module is denied its calls also when it is there for the thousandth time.
  @Test func aProfilesModuleThatIsLoadedOverAndOverAgain() async throws {
    let folder = try await folder("loader", Self.loader)
    _ = try folder.write(
      Array("default: allow\nregions:\n  - {code: libplug.so, disposition: errno EPERM}\n".utf8), to: "profile")
    let calls = try await calls(
      ["--profile", "profile"], ["./loader", "./libplug.so", "1000", "denied"], in: folder)
    #expect(calls["libplug.so"] == 1000, "\(calls)")
  }

  /// A loader reserves memory first for a module that asks for more than a page's alignment.
  @Test func aModuleOfGreatAlignment() async throws {
    let folder = try await folder("loader", Self.loader)
    try await Compiler.buildLibrary("libbig.so", calling: 110, in: folder.path, ["-Wl,-z,max-page-size=0x200000"])
    let calls = try await calls(["--trap", "libbig.so"], ["./loader", "./libbig.so", "2200"], in: folder)
    #expect(calls == ["libbig.so": 2200])
  }

  /// The loader itself is mapped by the kernel.
  @Test(arguments: ["ld-linux-x86-64.so.2", "ld-*.so*", "/usr/lib/x86_64-linux-gnu/ld-*", "*.so.*"])
  func theLoaderIsAModuleToo(_ glob: String) async throws {
    let folder = try await folder("loader", Self.loader)
    let command = ["./loader", "./libplug.so", "1"]
    let all = try await calls(["--all"], command, of: "", in: folder)
    let calls = try await calls(["--trap", glob], command, of: "", in: folder)
    #expect(calls["ld-linux-x86-64.so.2"] == all["ld-linux-x86-64.so.2"], "\(calls)")
  }

  @Test func codeIsJITForAsLongAsItCanBeWritten() async throws {
    let folder = try await folder("writable", Self.writable)
    #expect(try await calls(["--trap", "jit"], ["./writable"], in: folder) == ["writable": 7])
    #expect(try await calls(["--trap", "exe"], ["./writable"], in: folder) == ["writable": 21])
  }

  @Test func codeThatIsMovedOverOtherCodeTakesItsPlace() async throws {
    let folder = try await folder("moved", Self.moved)
    #expect(try await calls(["--all"], ["./moved"], in: folder) == ["memfd:code": 5, "[anonymous]": 7])
  }

  /// What no table has room for goes by the profile's default all the same.
  @Test func moreCodeThanIsKnownIsJudgedByTheDefault() async throws {
    let folder = try await folder("many", Self.many)
    let allowed = "exe, vdso, 'libc.so*', 'ld-linux*.so*'"
    _ = try folder.write(
      Array("default: errno EPERM\nregions:\n  - {code: [\(allowed)], disposition: allow}\n".utf8), to: "profile")
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--profile", "profile", "./many"], in: folder.path)
    #expect(outcome.status == 3, "\(outcome.error)")
  }

  @Test func aModuleThatCannotBePlacedIsSaid() async throws {
    let folder = try await folder("astray", Self.astray)
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--trap", "libplug.so", "./astray", "./libplug.so"], in: folder.path)
    #expect(outcome.status == 3)
    #expect(
      outcome.error.contains(
        "libplug.so is mapped where its calls are not trapped; `--trap all` traps them, and all others\n"),
      "\(outcome.error)")
  }

  /// Code behind an exported function of no known size need not be that function's.
  @Test func aFunctionThatIsNotKnownHasNoName() async throws {
    let folder = try await folder("loader", Self.loader)
    let library = """
      __asm__(".globl exported; exported: ret; own: mov $110, %eax; syscall; ret");
      int plug(void) {
        int result;
        __asm__("call own" : "=a"(result) : : "rcx", "r11", "memory");
        return result;
      }
      """
    for (option, name) in [("-g", #" \(own\+0x5\)"#), ("-s", "")] {
      let place = #"libasm.so +getppid +1 +[0-9.]+ +0  0x[0-9a-f]+"# + name + " +the same\n"
      try await Compiler.build(library, as: "libasm.so", in: folder.path, ["-shared", "-fPIC", option])
      let outcome = try await CordonBinary.run(
        CordonBinary.path, ["run", "./loader", "./libasm.so", "1"], in: folder.path)
      #expect(outcome.status == 3)
      #expect(outcome.error.firstMatch(of: try Regex(place)) != nil, "\(option): \(outcome.error)")
    }
  }
}
