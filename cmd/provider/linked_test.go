package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOnlyWhatIsCalledIsLinked: one function that may ask for any method by reflection is
// enough for the linker to keep all methods of all types, a fifth of the program
// (docs/decisions/0026).
func TestOnlyWhatIsCalledIsLinked(t *testing.T) {
	// As the package is built: cluster/images/program.go.
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags=grpcnotrace", "-ldflags=-dumpdep",
		"-o", filepath.Join(t.TempDir(), "provider"), ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")

	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out[max(0, len(out)-1000):])
	}

	var edges int

	var askers []string

	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); edges++ {
		from, _, _ := strings.Cut(lines.Text(), " -> ")
		if asker, ok := strings.CutSuffix(from, " <ReflectMethod>"); ok && !slices.Contains(askers, asker) {
			askers = append(askers, asker)
		}
	}

	if edges < 1000 {
		t.Fatalf("the linker tells of %d edges only: what does it call them now?", edges)
	}

	if len(askers) > 0 {
		t.Errorf("all methods of all types are linked because of %s", strings.Join(askers, ", "))
	}
}
