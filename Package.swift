// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is compiled alike: Swift 6 mode, imports internal unless said otherwise, no warning let through.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "pannier",
  // Asked for by the client's libraries; the daemon is made for Linux.
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "pannier", targets: ["pannier"]),
    .library(name: "PannierClient", targets: ["PannierClient"]),
    .library(name: "PannierTesting", targets: ["PannierTesting"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // No pkgConfig: it would add a flag that SwiftPM warns of on every build; the module map links the library.
    .systemLibrary(name: "CUV", providers: [.apt(["libuv1-dev"])]),
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "PannierWire", swiftSettings: strict),
    .target(name: "PannierCore", swiftSettings: strict),
    .target(
      name: "PannierDispatch",
      dependencies: ["PannierWire", "PannierCore", "Yams", .product(name: "Logging", package: "swift-log")],
      swiftSettings: strict),
    .target(
      name: "PannierServer",
      dependencies: [
        "CUV", "CHiredis", "CZstd", "PannierWire", "PannierCore", "PannierDispatch",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "pannier",
      dependencies: [
        "PannierDispatch", "PannierServer", "PannierWire",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(
      name: "PannierClient",
      dependencies: [
        "PannierWire",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ],
      swiftSettings: strict),
    .target(
      name: "PannierTesting",
      dependencies: [
        "PannierClient", "PannierCore", "PannierDispatch",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(name: "PannierTestSupport", path: "Tests/Support", swiftSettings: strict),
    .testTarget(name: "PannierWireTests", dependencies: ["PannierWire", "PannierTestSupport"], swiftSettings: strict),
    .testTarget(name: "PannierCoreTests", dependencies: ["PannierCore", "PannierTestSupport"], swiftSettings: strict),
    .testTarget(
      name: "PannierClientTests",
      dependencies: [
        // Started by tests.
        "pannier", "PannierClient", "PannierTestSupport", "PannierTesting", "PannierWire",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PannierDispatchTests",
      dependencies: [
        "PannierDispatch", "PannierCore", "PannierWire", "PannierTestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PannierServerTests",
      dependencies: [
        "PannierServer", "PannierDispatch", "PannierCore", "PannierWire", "PannierTestSupport", "CUV",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
  ]
)
