extension Theme {
    /// For dark backgrounds.
    public static let dark = Theme(
        name: "dark", paper: Colour(0x14161a, ansi16: 0), ink: Colour(0xd8d8d8, ansi16: 7)
    ) { role in
        let orange = Colour(0xe69f00, ansi16: 3)
        let sky = Colour(0x56b4e9, ansi16: 14)
        let green = Colour(0x2fb58a, ansi16: 6)
        let yellow = Colour(0xf0e442, ansi16: 11)
        let blue = Colour(0x5fa8e0, ansi16: 12)
        let vermilion = Colour(0xff7733, ansi16: 9)
        let purple = Colour(0xd88fb5, ansi16: 13)
        let grey = Colour(0x9a9a9a, ansi16: 7)
        let faint = Colour(0x6c6c6c, ansi16: 8)
        let white = Colour(0xffffff, ansi16: 15)
        let black = Colour(0x000000, ansi16: 0)
        let night = Colour(0x303848, ansi16: 4)

        switch role {
        case .plain: return Look()
        case .dim: return Look(grey)
        case .title: return Look(white, .bold)
        case .heading: return Look(white, .bold)
        case .border: return Look(faint)
        case .focusedBorder: return Look(sky, .bold)
        case .label: return Look(grey)
        case .value: return Look()
        case .key: return Look(sky, .bold)
        case .note: return Look(yellow)
        case .selection: return Look(white, on: night, .bold)
        case .match: return Look(black, on: yellow)
        case .status: return Look(white, on: night)
        case .changed: return Look(orange, .bold)
        case .stale: return Look(purple, .italic)
        case .broken: return Look(black, on: vermilion, .bold)
        case .held: return Look(yellow, .bold)
        case .done: return Look(green)
        case .current: return Look(white, on: Colour(0x0060a0, ansi16: 4), .bold)
        case .upcoming: return Look(faint)
        case .good: return Look(sky)
        case .allocated: return Look(sky)
        case .free: return Look(faint)
        case .link: return Look(green)
        case .breakpoint: return Look(vermilion, .bold)
        case .prompt: return Look(white)
        case .error: return Look(vermilion, .bold)
        case .series1: return Look(sky)
        case .series2: return Look(orange)
        case .series3: return Look(green)
        case .series4: return Look(purple)
        case .series5: return Look(yellow)
        case .series6: return Look(blue)
        }
    }

    /// For light backgrounds: the same hues, dark enough to be read on white (4.5 : 1 and better). Of
    /// the sixteen old colours only black, red, blue, magenta and grey are; yellow, green and cyan are not.
    public static let light = Theme(
        name: "light", paper: Colour(0xffffff, ansi16: 15), ink: Colour(0x1c1c1c, ansi16: 0)
    ) { role in
        let orange = Colour(0x9a5b00, ansi16: 1)
        let blue = Colour(0x005f9e, ansi16: 4)
        let green = Colour(0x00694c, ansi16: 4)
        let ochre = Colour(0x6b5a00, ansi16: 5)
        let vermilion = Colour(0xb33c00, ansi16: 1)
        let purple = Colour(0x8a3c6b, ansi16: 5)
        let grey = Colour(0x5c5c5c, ansi16: 8)
        let faint = Colour(0x767676, ansi16: 8)
        let black = Colour(0x000000, ansi16: 0)
        let white = Colour(0xffffff, ansi16: 15)
        let sand = Colour(0xdde6f0, ansi16: 7)

        switch role {
        case .plain: return Look()
        case .dim: return Look(grey)
        case .title: return Look(black, .bold)
        case .heading: return Look(black, .bold)
        case .border: return Look(faint)
        case .focusedBorder: return Look(blue, .bold)
        case .label: return Look(grey)
        case .value: return Look()
        case .key: return Look(blue, .bold)
        case .note: return Look(ochre)
        case .selection: return Look(black, on: sand, .bold)
        case .match: return Look(black, on: Colour(0xf0e442, ansi16: 3))
        case .status: return Look(black, on: sand)
        case .changed: return Look(orange, .bold)
        case .stale: return Look(purple, .italic)
        case .broken: return Look(white, on: vermilion, .bold)
        case .held: return Look(ochre, .bold)
        case .done: return Look(green)
        case .current: return Look(white, on: blue, .bold)
        case .upcoming: return Look(faint)
        case .good: return Look(blue)
        case .allocated: return Look(blue)
        case .free: return Look(faint)
        case .link: return Look(green)
        case .breakpoint: return Look(vermilion, .bold)
        case .prompt: return Look(black)
        case .error: return Look(vermilion, .bold)
        case .series1: return Look(blue)
        case .series2: return Look(orange)
        case .series3: return Look(green)
        case .series4: return Look(purple)
        case .series5: return Look(ochre)
        case .series6: return Look(grey)
        }
    }

    /// Without colours, for `NO_COLOR`, `--color never` and terminals that have none.
    public static let mono = Theme(
        name: "mono", paper: Colour(0xffffff, ansi16: 15), ink: Colour(0x000000, ansi16: 0)
    ) { role in
        switch role {
        case .title, .heading, .focusedBorder, .key, .changed, .held, .breakpoint, .error:
            return Look(.bold)
        case .selection, .status, .current: return Look(.reverse)
        case .match: return Look([.reverse, .underline])
        case .broken: return Look([.reverse, .bold])
        case .stale: return Look(.underline)
        case .dim, .border, .upcoming, .free: return Look(.dim)
        default: return Look()
        }
    }
}

extension Theme.Look {
    fileprivate init(_ foreground: Colour, _ attributes: Attributes) {
        self.init(foreground, on: nil, attributes)
    }

    fileprivate init(_ attributes: Attributes) {
        self.init(nil, on: nil, attributes)
    }
}
