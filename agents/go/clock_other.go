//go:build !unix

package profileloop

import "time"

// processCPU is not known here: Lambda runs Linux, and this only lets a function build for a test elsewhere.
func processCPU() time.Duration { return 0 }
