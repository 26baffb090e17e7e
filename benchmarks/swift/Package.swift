// swift-tools-version: 6.2
import PackageDescription

/// Apart from the client's own package: who uses that builds none of this.
let package = Package(
  name: "pannier-bench-swift",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "pannier", path: "../.."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .executableTarget(
      name: "bench",
      dependencies: [
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "PannierClient", package: "pannier"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
  ]
)
