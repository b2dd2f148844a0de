package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// page is docs/benchmarks.md but for the results.
//
//go:embed page.md
var page string

// writeDocs writes the page of the documentation.
func (r report) writeDocs(path string) error {
	var table strings.Builder
	table.WriteString("| scenario | peer, measured | bound | measured | to reach | reached |\n|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s | %s |\n", row.Scenario, row.Peer, row.Bound, row.Measured, row.Target, row.verdict())
	}
	facts := fmt.Sprintf("Measured on %s, in %.0f s, on %s, by `%s`.", r.Date, r.Took, r.Machine, r.Command)
	return write(path, []byte(strings.NewReplacer("{{facts}}", facts, "{{table}}", table.String()).Replace(page)))
}
