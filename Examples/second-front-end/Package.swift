// swift-tools-version: 6.1
import PackageDescription

// Another front end than the explorer: it needs the core alone, so that neither Yams nor ArgumentParser is built for it.
let package = Package(
    name: "second-front-end",
    dependencies: [.package(name: "kvmtui", path: "../..")],
    targets: [.executableTarget(name: "fault-page", dependencies: [.product(name: "Stage2Sim", package: "kvmtui")])],
    swiftLanguageModes: [.v6]
)
