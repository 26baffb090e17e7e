// Keys that services in other languages spell alike.
// snippet.hide
import PannierClient

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

// snippet.show
enum Status: String { case draft, published }

struct Course: CacheKeyPart {
  var school: UUID
  var number: Int

  /// What makes it the course that it is.
  var keySpelling: KeySpelling { .list([school.keySpelling, number.keySpelling]) }
}

func key(of course: Course, status: Status?, page: Int) -> CacheKey {
  "course:\(course):\(status):\(page)"
}

/// What is filled in stands for itself, whatever is in it; the star is a star.
func pages(of course: Course) -> CacheKeyPattern { "course:\(course):*" }
