package chief

// Kept is how many objects of Go's C refers to.
func Kept() int { return objects.len() }
