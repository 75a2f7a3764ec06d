//go:build asan

package chief

// #cgo LDFLAGS: -fsanitize=address
// int __lsan_do_recoverable_leak_check(void);
import "C"

// leaks says whether C has memory that nothing refers to.
func leaks() bool { return C.__lsan_do_recoverable_leak_check() != 0 }
