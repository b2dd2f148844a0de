package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// notMeasured stands where a line has no outcome.
const notMeasured = "not measured"

// A report is what came of a run.
type report struct {
	Date    string   `json:"date"`
	Machine string   `json:"machine"`
	Command string   `json:"command"`
	Took    float64  `json:"tookSeconds"`
	Rows    []result `json:"rows"`
}

// A result is a line of the table with its outcome.
type result struct {
	Key      string             `json:"key"`
	Scenario string             `json:"scenario"`
	Peer     string             `json:"peer"`
	Bound    string             `json:"bound,omitempty"`
	Measured string             `json:"measured"`
	Target   string             `json:"target"`
	Met      *bool              `json:"met,omitempty"`
	Values   map[string]float64 `json:"values,omitempty"`
}

// newReport puts outcomes into the table.
func newReport(outcomes []outcome, took time.Duration) report {
	r := report{
		Date: time.Now().UTC().Format("2006-01-02 15:04 MST"), Machine: machine(),
		Command: strings.Join(append([]string{"go run ./cluster/test/bench"}, os.Args[1:]...), " "),
		Took:    took.Seconds(),
	}
	of := map[string]outcome{}
	for _, o := range outcomes {
		of[o.key] = o
	}
	for _, l := range lines {
		row := result{Key: l.key, Scenario: l.what, Peer: l.peer, Target: l.target, Measured: notMeasured}
		if o, ok := of[l.key]; ok {
			row.Bound, row.Measured, row.Met, row.Values = o.bound, o.measured, &o.met, o.values
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

// verdict is for people.
func (r result) verdict() string {
	switch {
	case r.Met == nil:
		return "–"
	case *r.Met:
		return "yes"
	}
	return "NO"
}

// text is the table for a terminal.
func (r report) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIO\tPEER\tBOUND\tMEASURED\tTARGET\tMET")
	for _, row := range r.Rows {
		if row.Measured != notMeasured {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Scenario, row.Peer, row.Bound, row.Measured, row.Target, row.verdict())
		}
	}
	_ = w.Flush() // a strings.Builder takes everything
	fmt.Fprintf(&b, "%s, %s, %.0f s\n", r.Machine, r.Date, r.Took)
	return b.String()
}

// missed tells of targets that were not reached.
func (r report) missed() error {
	var errs []error
	for _, row := range r.Rows {
		if row.Met != nil && !*row.Met {
			errs = append(errs, fmt.Errorf("missed: %s: %s instead of %s", row.Scenario, row.Measured, row.Target))
		}
	}
	return errors.Join(errs...)
}

func (r report) writeJSON(path string) error {
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return write(path, append(out, '\n'))
}

func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// machine says what the numbers were measured on.
func machine() string {
	model, memory := runtime.GOARCH, ""
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		model = field(string(info), "model name", model)
	}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib int
		if _, err := fmt.Sscanf(field(string(info), "MemTotal", ""), "%d kB", &kib); err == nil {
			memory = fmt.Sprintf(", %d GiB", (kib+1<<19)>>20)
		}
	}
	return fmt.Sprintf("%d × %s%s, %s, %s", runtime.NumCPU(), model, memory, runtime.GOOS, runtime.Version())
}

// field is the value of a line "name: value" of a file of /proc.
func field(content, name, missing string) string {
	for line := range strings.Lines(content) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return missing
}
