import Foundation
import Testing

@testable import Screens

struct ThemeTests {
    /// Relative luminance and contrast after WCAG 2.
    private func contrast(_ a: Colour, _ b: Colour) -> Double {
        func luminance(_ colour: Colour) -> Double {
            zip([colour.red, colour.green, colour.blue], [0.2126, 0.7152, 0.0722]).reduce(0) { sum, part in
                let value = Double(part.0) / 255
                return sum + part.1 * (value <= 0.03928 ? value / 12.92 : power((value + 0.055) / 1.055))
            }
        }
        let (high, low) = (max(luminance(a), luminance(b)), min(luminance(a), luminance(b)))
        return (high + 0.05) / (low + 0.05)
    }

    /// x to the power of 2.4, as x² · ⁵√x².
    private func power(_ x: Double) -> Double {
        var root = 1.0
        for _ in 0..<60 { root -= (root * root * root * root * root - x * x) / (5 * root * root * root * root) }
        return x * x * root
    }

    @Test(arguments: Theme.all)
    func `every role can be read`(theme: Theme) {
        let quiet: [Role] = [.border, .upcoming, .free, .dim]
        for role in Role.allCases {
            let look = theme[role]
            let least = quiet.contains(role) ? 3.0 : 4.5
            #expect(contrast(look.foreground ?? theme.ink, look.background ?? theme.paper) >= least, "\(role)")
        }
    }

    @Test(arguments: Theme.all)
    func `what must not be confused differs by more than hue`(theme: Theme) {
        let looks = [Role.plain, .changed, .stale, .broken, .current].map { theme[$0] }
        for (index, look) in looks.enumerated() {
            for other in looks[(index + 1)...] {
                #expect(look.attributes != other.attributes || look.background != other.background)
            }
        }
    }

    @Test func `the nearest of 256 colours`() {
        #expect(Colour(0xff0000, ansi16: 9).ansi256 == 196)
        #expect(Colour(0xffffff, ansi16: 15).ansi256 == 231)
        #expect(Colour(0x808080, ansi16: 8).ansi256 == 244)
        #expect(Colour(0x000000, ansi16: 0).ansi256 == 16)
        #expect(Colour(0xe69f00, ansi16: 3).ansi256 == 178)
        #expect(Colour(0xe69f00, ansi16: 3).hex == "#e69f00")
    }

    @Test func `the light theme can be read on white, with eight colours too`() {
        // xterm's own: https://invisible-island.net/xterm, XTerm-col.ad.
        let xterm: [(Double, Double, Double)] = [
            (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229), (127, 127, 127), (255, 0, 0),
            (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
        ]
        func light(_ colour: (Double, Double, Double)) -> Double {
            func linear(_ part: Double) -> Double { part / 255 <= 0.03928 ? part / 255 / 12.92 : pow((part / 255 + 0.055) / 1.055, 2.4) }
            return 0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
        }
        func contrast(_ a: (Double, Double, Double), _ b: (Double, Double, Double)) -> Double {
            let (one, other) = (light(a), light(b))
            return (max(one, other) + 0.05) / (min(one, other) + 0.05)
        }
        for role in Role.allCases {
            let look = Theme.light[role]
            guard let foreground = look.foreground else { continue }
            for number in [foreground.ansi16, foreground.ansi8] {
                let paper = look.background.map { xterm[Int(number == foreground.ansi8 ? $0.ansi8 : $0.ansi16)] } ?? (255, 255, 255)
                #expect(contrast(xterm[Int(number)], paper) >= 3.9, "\(role) \(number)")
            }
        }
    }
}
