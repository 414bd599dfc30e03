import ArgumentParser
import Stage2Sim

extension VMNumber: ExpressibleByArgument, Decodable {
    public init?(argument: String) {
        guard let number = Int(argument) else { return nil }
        self.init(after: number)
    }
}
