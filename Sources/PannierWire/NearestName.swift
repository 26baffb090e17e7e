// Finds the known name that a mistyped one was meant to be. It knows no names of its own.

/// The first of `known` that is nearest to `name`, at most two edits (a byte put in, taken out or changed) away; nil where
/// none is. Names compare as bytes. A name that shares no byte with a known one never means it, however short both are.
package func nearestName(to name: some Collection<UInt8>, among known: [String]) -> String? {
  var best: (name: String, distance: Int)?
  for candidate in known {
    let length = candidate.utf8.count
    // Keeps the work small for a "name" of megabytes, too.
    guard abs(name.count - length) <= farthest else { continue }
    let distance = editDistance(Array(name), Array(candidate.utf8))
    guard distance <= farthest, distance < max(name.count, length), distance < best?.distance ?? .max else { continue }
    best = (candidate, distance)
  }
  return best?.name
}

package func nearestName(to name: String, among known: [String]) -> String? {
  nearestName(to: name.utf8, among: known)
}

/// Beyond two edits a suggestion is more often wrong than right.
private let farthest = 2

/// Levenshtein's distance, row by row.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var row = Array(0...right.count)
  for (leftIndex, leftByte) in left.enumerated() {
    var diagonal = row[0]
    row[0] = leftIndex + 1
    for (rightIndex, rightByte) in right.enumerated() {
      let changed = diagonal + (leftByte == rightByte ? 0 : 1)
      diagonal = row[rightIndex + 1]
      row[rightIndex + 1] = min(changed, diagonal + 1, row[rightIndex] + 1)
    }
  }
  return row[right.count]
}
