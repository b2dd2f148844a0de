// Command program stands in for a real one in tests of the builder: it compiles in
// seconds, and has a module in it that a bill of materials must name.
package main

import (
	"fmt"
	"os/user" // Linked to the C library, unless it is told not to be.

	"github.com/Masterminds/semver/v3"
)

// version is set by the linker.
var version = "dev"

func main() {
	me, err := user.Current()
	fmt.Println(semver.MustParse(version).Original(), me, err)
}
