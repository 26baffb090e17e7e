// swift-tools-version: 6.2
import PackageDescription

/// A package of its own, as yours would be; yours names Pannier by its URL.
let package = Package(
  name: "quiz-board",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "pannier", path: "../.."),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .executableTarget(
      name: "QuizBoard",
      dependencies: [
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "PannierClient", package: "pannier"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
  ]
)
