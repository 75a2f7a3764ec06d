//go:build !asan

package chief

// leaks is known only under AddressSanitizer.
func leaks() bool { return false }
