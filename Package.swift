// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors everywhere; SwiftPM leaves packages that depend on this one alone.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "cordon",
  products: [
    .executable(name: "cordon", targets: ["cordon"]),
    .library(name: "Cordon", targets: ["Cordon"]),
    .library(name: "FilterCompiler", targets: ["FilterCompiler"]),
    .library(name: "SyscallPolicy", targets: ["SyscallPolicy"]),
  ],
  dependencies: [
    // Command-line parsing and help.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Errno and FileDescriptor: errno is handled in one well-kept place.
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    // Child processes with pipes and exit statuses; each measurement runs in a fresh one.
    .package(
      url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    // Percentiles of what the comparator measures, without keeping every sample.
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    // Profile files: YAML with the line and column of every value, for errors that point at it.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CLibSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    // What Swift's Glibc module leaves out of Linux's headers.
    .systemLibrary(name: "CLinux"),
    .target(name: "TrapEngine", cSettings: strictC),
    .target(name: "CordonShims", dependencies: ["TrapEngine"], cSettings: strictC),
    // libseccomp in a child that can be ended.
    .target(name: "PolicyShims", dependencies: ["CLibSeccomp"], cSettings: strictC),
    .target(name: "FilterCompiler", swiftSettings: strict),
    // How others compile a set of calls, and what both are measured on: for tests and `make bench`.
    .target(
      name: "CompilerRivals", dependencies: ["CLibSeccomp", "FilterCompiler", "SeededNumbers"], swiftSettings: strict),
    // Random numbers that can be repeated: for orders, measured sets and test cases.
    .target(name: "SeededNumbers", swiftSettings: strict),
    .target(
      name: "SyscallPolicy",
      dependencies: [
        "FilterCompiler", "CLibSeccomp", "PolicyShims", .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .target(
      name: "Cordon",
      dependencies: [
        "CordonShims", "FilterCompiler", "TrapEngine",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    // What the launcher and the agent agree on: a header.
    .target(name: "AgentInterface", cSettings: strictC),
    // The trap engine as an image of its own, which needs no loader. The flags say how it is linked, which nothing but
    // flags can say; only the launcher uses it, as bytes. It is to be small in debug builds too.
    .executableTarget(
      name: "cordon-agent", dependencies: ["AgentInterface", "TrapEngine"], exclude: ["agent.ld"],
      cSettings: strictC + [.unsafeFlags(["-Oz"])],
      linkerSettings: [
        .unsafeFlags([
          "-nostartfiles", "-static-executable", "-use-ld=lld", "-Xclang-linker", "-nostdlib",
          "-Xlinker", "-T", "-Xlinker", Context.packageDirectory + "/Sources/cordon-agent/agent.ld",
          "-Xlinker", "-pie", "-Xlinker", "--no-dynamic-linker", "-Xlinker", "-z", "-Xlinker", "text",
          "-Xlinker", "-z", "-Xlinker", "norelro", "-Xlinker", "--build-id=none", "-Xlinker", "--strip-all",
          // What the engine has for programs that change their maps.
          "-Xlinker", "--gc-sections",
        ]),
        .unsafeFlags(["-Xlinker", "--defsym=cordon_agent_image_limit=0xc000"], .when(configuration: .debug)),
        .unsafeFlags(["-Xlinker", "--defsym=cordon_agent_image_limit=0x8000"], .when(configuration: .release)),
      ]),
    .executableTarget(name: "embed-agent", swiftSettings: strict),
    .plugin(name: "EmbedAgent", capability: .buildTool, dependencies: ["cordon-agent", "embed-agent"]),
    // What Swift cannot say: a child that shares memory, ptrace, and the calls on a filter's listener.
    .target(name: "LauncherShims", cSettings: strictC),
    .target(
      name: "CordonLauncher",
      dependencies: [
        "AgentInterface", "Cordon", "FilterCompiler", "LauncherShims", "SyscallPolicy", "TrapEngine",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict, plugins: ["EmbedAgent"]),
    .target(
      name: "CordonComparator",
      dependencies: [
        "CLinux", "Cordon", "SeededNumbers", "TrapEngine",
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "cordon",
      dependencies: [
        "CLibSeccomp", "CLinux", "Cordon", "CordonComparator", "CordonLauncher", "FilterCompiler", "SyscallPolicy",
        "TrapEngine",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      exclude: ["start.order"], swiftSettings: strict,
      // Libc and the C++ library are linked in: loading them takes longer than everything else that `run` does for a
      // short program. What that goes through lies on few pages, each of which is a fault: `make order` says what it is, and
      // names that are not there are passed over.
      linkerSettings: [
        .unsafeFlags(
          [
            "-static-executable", "-use-ld=lld", "-Xlinker", "-u", "-Xlinker", "__pthread_create",
            "-Xlinker", "--symbol-ordering-file=" + Context.packageDirectory + "/Sources/cordon/start.order",
            "-Xlinker", "--no-warn-symbol-ordering",
          ],
          .when(configuration: .release))
      ]),
    // Which functions a run goes through, for the linker.
    .executableTarget(name: "link-order", cSettings: strictC),
    // `make bench`.
    .executableTarget(
      name: "cordon-bench",
      dependencies: [
        "CompilerRivals", "Cordon", "CordonComparator", "CordonLauncher", "FilterCompiler", "SeededNumbers",
        "TrapEngine",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    // What the tests of several targets need.
    .target(
      name: "TestSupport", dependencies: ["FilterCompiler", "SeededNumbers"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "FilterCompilerTests", dependencies: ["CompilerRivals", "FilterCompiler", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "SyscallPolicyTests",
      dependencies: ["CLibSeccomp", "Cordon", "FilterCompiler", "SyscallPolicy", "TestSupport", "cordon"],
      swiftSettings: strict),
    .testTarget(
      name: "CordonTests",
      dependencies: [
        "Cordon", "FilterCompiler", "TestSupport", "TrapEngine",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CordonLauncherTests", dependencies: ["AgentInterface", "CordonLauncher", "FilterCompiler", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CordonComparatorTests",
      dependencies: [
        "Cordon", "CordonComparator", "SeededNumbers", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "CLinux", "Cordon", "CordonComparator", "cordon", "cordon-bench", "FilterCompiler", "ReadmeExample",
        "ReadmeLiveExample",
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    // The program in README, kept to what stands there by a test.
    .executableTarget(
      name: "ReadmeExample", dependencies: ["Cordon"], path: "Tests/ReadmeExample", swiftSettings: strict),
    .executableTarget(
      name: "ReadmeLiveExample", dependencies: ["Cordon"], path: "Tests/ReadmeLiveExample", swiftSettings: strict),
    // Machine code that plays the trapped guest; linked into tests only.
    .target(
      name: "GuestCode", dependencies: ["TrapEngine"], path: "Tests/GuestCode", cSettings: strictC),
    // Real calls under filters that are judged by them; linked into tests only.
    .target(name: "KernelJudge", path: "Tests/KernelJudge", cSettings: strictC),
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        "Cordon", "FilterCompiler", "GuestCode", "KernelJudge", "SyscallPolicy", "TestSupport", "TrapEngine",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
