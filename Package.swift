// swift-tools-version: 6.1
import PackageDescription

// One way down: kvmtui -> Screens -> Sessions -> Stage2Sim. Nothing below knows what is above it.
let package = Package(
    name: "kvmtui",
    products: [
        .library(name: "Stage2Sim", targets: ["Stage2Sim"]),
        .library(name: "Sessions", targets: ["Sessions"]),
        .library(name: "EmbeddedSessions", targets: ["EmbeddedSessions"]),
        .executable(name: "kvmtui", targets: ["kvmtui"]),
        .executable(name: "kvmtui-bench", targets: ["kvmtui-bench"]),
        .executable(name: "kvmtui-fuzz", targets: ["kvmtui-fuzz"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // What Swift has no word for: an instruction, and advice to the kernel.
        .target(name: "CMemory"),
        .target(name: "Stage2Sim", dependencies: ["CMemory"]),
        // Compressed pages of memory dumps, by the system's zlib and libzstd.
        .target(name: "CCompression", linkerSettings: [.linkedLibrary("z"), .linkedLibrary("zstd")]),
        .target(name: "Sessions", dependencies: ["Stage2Sim", "CCompression", .product(name: "Yams", package: "Yams")]),
        // The lessons of sessions/, inside the program: written as Swift source by a tool when they are built. The link to them in the
        // target's folder is what has a build planned anew when one comes or goes; a file that went would be missed as an input else.
        .target(name: "EmbeddedSessions", exclude: ["sessions"], plugins: ["EmbedSessions"]),
        .plugin(name: "EmbedSessions", capability: .buildTool(), dependencies: ["embed-sessions"], path: "Sources/EmbedSessions"),
        .executableTarget(name: "embed-sessions"),
        .target(name: "CNcurses", linkerSettings: [.linkedLibrary("ncursesw")]),
        // In a package: no data for ICU, which nothing here needs. Else nothing.
        .target(name: "CICUData"),
        .target(name: "Screens", dependencies: ["Sessions", "Stage2Sim"]),
        // Sessions as web pages: a second front end, beside Screens. Style and script are inside the program.
        .target(
            name: "Pages", dependencies: ["Sessions", "Stage2Sim"],
            resources: [.embedInCode("Assets/page.css"), .embedInCode("Assets/page.js"), .embedInCode("Assets/search.js")]),
        .executableTarget(
            name: "kvmtui",
            dependencies: [
                "EmbeddedSessions", "Pages", "Screens", "Sessions", "Stage2Sim", "CICUData", "CNcurses",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                // The user's configuration.
                .product(name: "Yams", package: "Yams"),
            ]),
        // The core against the same table work in plain C. Measures; judges nothing.
        .target(name: "CReference", cSettings: [.define("NDEBUG")]),
        .executableTarget(
            name: "kvmtui-bench",
            dependencies: ["Stage2Sim", "Sessions", "Screens", "CReference", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        // Damaged files in great numbers. Judges, and is no part of the tests.
        .executableTarget(
            name: "kvmtui-fuzz",
            dependencies: ["Stage2Sim", "Sessions", "Screens", "CCompression", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .testTarget(name: "Stage2SimTests", dependencies: ["Stage2Sim"]),
        .testTarget(name: "SessionsTests", dependencies: ["EmbeddedSessions", "Sessions", "CCompression"], exclude: ["Golden", "Truth"]),
        // What another package sees: nothing here imports with @testable.
        .testTarget(name: "PublicSurfaceTests", dependencies: ["Stage2Sim", "Sessions"]),
        .testTarget(name: "PagesTests", dependencies: ["EmbeddedSessions", "Pages", "Sessions"]),
        .testTarget(name: "ScreensTests", dependencies: ["Screens"], exclude: ["Recorded"]),
        .testTarget(name: "EndToEndTests", dependencies: ["kvmtui"]),
    ],
    swiftLanguageModes: [.v6]
)
