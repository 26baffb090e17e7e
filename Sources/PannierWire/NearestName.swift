package func nearestName(to name: String, among known: [String]) -> String? { known.first }
