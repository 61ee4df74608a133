// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because all that it depends on is built with other flags: `make fuzz` gives them.
let package = Package(
  name: "cordon-fuzz",
  dependencies: [.package(name: "cordon", path: "../..")],
  targets: [
    // The door to the toolchain's libFuzzer.
    .target(name: "LibFuzzer"),
    .executableTarget(
      name: "cordon-fuzz",
      dependencies: [
        "LibFuzzer", .product(name: "FilterCompiler", package: "cordon"),
        .product(name: "SyscallPolicy", package: "cordon"),
      ],
      swiftSettings: [
        .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
