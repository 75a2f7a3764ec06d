package chief

// Kept is how many objects of Go's C refers to.
func Kept() int { return objects.len() }

// Leaks says whether C has memory that nothing refers to; only under AddressSanitizer.
func Leaks() bool { return leaks() }
