import SystemPackage
import Testing

/// `cordon run --trap`: whatever code is named, and however it comes and goes, exactly its calls are accounted.
@Suite(.timeLimit(.ofPrograms), .enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"))
struct RunRegionsTests {
  /// Loads two libraries 50 times, each where the other has been, makes a page writable and executable in turns 20 times,
  /// has one that is both, and calls itself.
  private static let program = """
    #include <dlfcn.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    static long own(void) {
      long result;
      __asm__ volatile("syscall" : "=a"(result) : "0"(102) : "rcx", "r11", "memory");
      return result;
    }
    int main(int count, char **arguments) {
      int right = count == 3;
      for (int i = 0; i < 100; i++) {
        void *library = dlopen(arguments[1 + i % 2], RTLD_NOW);
        long (*plug)(void) = (long (*)(void))dlsym(library, "plug");
        right += plug() == getpid();
        dlclose(library);
      }
      unsigned char code[] = {0xb8, 110, 0, 0, 0, 0x0f, 5, 0xc3};
      unsigned char *memory = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      memcpy(memory, code, sizeof code);
      memcpy(memory + 4096, code, sizeof code);
      for (int i = 0; i < 20; i++) {
        mprotect(memory, 4096, PROT_READ | PROT_EXEC);
        right += ((int (*)(void))memory)() == getppid();
        mprotect(memory, 4096, PROT_READ | PROT_WRITE);
        memory[1] = 110;
      }
      mprotect(memory + 4096, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
      right += ((int (*)(void))(memory + 4096))() == getppid();
      right += own() == (long)getuid();
      printf("%d\\n", right);
      return right == 123 ? 3 : 4;
    }
    """

  /// What is said of calls that do not come from libc: by module and call.
  private func counts(_ options: [String], _ program: String, in folder: FilePath) async throws -> [String: Int] {
    let command = ["./\(program)", "./lib\(program).so", "./libother.so"]
    let report = try await WrittenReport.ofRun(options, command, in: folder, printing: "123\n")
    let own = ["getpid", "getppid", "getuid"]
    return report.rows.filter { row in
      own.contains(row.call) && row.module.map { !$0.contains("libc") && !$0.contains("ld-musl") } ?? true
    }.callsByModule
  }

  @Test(arguments: ["gcc", "gcc -no-pie", "musl-gcc"])
  func exactlyWhatIsNamed(_ compiler: String) async throws {
    let folder = try TemporaryFolder()
    let words = compiler.split(separator: " ").map(String.init)
    guard Compiler.exists(words[0]) else { return print("not tested here, since \(words[0]) is not installed") }
    for library in ["libguest.so", "libother.so"] {
      try await Compiler.buildLibrary(library, calling: 39, in: folder.path, by: words[0])
    }
    try await Compiler.build(Self.program, as: "guest", in: folder.path, by: words[0], Array(words.dropFirst()))
    let (library, code, own) = (["libguest.so": 50], ["[anonymous]": 21], ["guest": 1])
    let all = ["libguest.so": 50, "libother.so": 50, "[anonymous]": 21, "guest": 1]
    var targets = [
      (["--trap", "libguest*.so*"], library), (["--trap", "exe"], own), (["--trap", "anonymous"], code),
      (["--trap", "jit"], code), (["--trap", "vdso"], [:]),
      (["--trap", "exe", "--trap", "jit"], own.merging(code, uniquingKeysWith: +)),
      ([], all),
    ]
    if compiler.hasSuffix("-no-pie") { targets.append((["--trap", "0x400000-0x500000"], own)) }
    for (options, expected) in targets {
      #expect(try await counts(options, "guest", in: folder.path) == expected, "\(options)")
      guard !Mechanisms.lackDispatch else { continue }
      let withDispatch = ["--mechanism", "sud"] + options
      #expect(try await counts(withDispatch, "guest", in: folder.path) == expected, "\(withDispatch)")
    }
  }
}
