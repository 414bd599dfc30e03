import Foundation
import Pages
import Testing

/// The pages' colours can be read: WCAG 2.1's contrast of text to ground, in light and in dark.
@Suite struct ContrastTests {
    private static func palettes() throws -> [[String: String]] {
        let html = try LessonPage(.init(shipped("first-touch"))).html
        let style = html[html.range(of: "<style>")!.upperBound..<html.range(of: "</style>")!.lowerBound]
        // Each rule that sets colours is a palette.
        return style.components(separatedBy: "{").compactMap { rule in
            guard rule.contains("--ground:") else { return nil }
            var found: [String: String] = [:]
            for part in rule.prefix(while: { $0 != "}" }).components(separatedBy: ";") {
                let words = part.components(separatedBy: ":").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
                if words.count == 2, words[0].hasPrefix("--") { found[words[0]] = words[1] }
            }
            return found
        }
    }

    private static func luminance(_ colour: String) -> Double {
        var digits = String(colour.dropFirst())
        if digits.count == 3 { digits = digits.map { "\($0)\($0)" }.joined() }
        let value = UInt32(digits, radix: 16)!
        let parts = [16, 8, 0].map { shift -> Double in
            let part = Double(value >> UInt32(shift) & 0xff) / 255
            return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }

    @Test func textStandsOutFromItsGround() throws {
        let palettes = try Self.palettes()
        #expect(palettes.count == 4)
        for palette in palettes {
            for text in ["--text", "--dim", "--link", "--changed", "--stale", "--wrong", "--right", "--note"] {
                for ground in ["--ground", "--card", "--changed-ground", "--here"] {
                    let (a, b) = (Self.luminance(palette[text]!), Self.luminance(palette[ground]!))
                    let contrast = (max(a, b) + 0.05) / (min(a, b) + 0.05)
                    #expect(contrast >= 4.5, "\(text) on \(ground) in \(palette["--ground"]!): \(contrast)")
                }
            }
        }
    }
}
