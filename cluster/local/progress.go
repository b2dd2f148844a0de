package local

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// progressEvery is how often a long step tells how far it is.
const progressEvery = 10 * time.Second

// progress tells how far a go command is, by what it prints: with -v one line
// for each package that it compiles, and one for each module that it downloads.
type progress struct {
	out   io.Writer
	total int
	// last is the package that is compiled last of all.
	last    string
	started time.Time

	compiled, downloaded int
	linking              bool
	// other is what the command printed besides: the reason when it fails.
	other []string
}

// run runs the command and returns when it has ended.
func (p *progress) run(cmd *exec.Cmd) error {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			lines <- s.Text()
		}
	}()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case line, ok := <-lines:
			if ok {
				p.read(line)
				continue
			}
			if err := cmd.Wait(); err != nil {
				return fmt.Errorf("go %s: %w\n%s", cmd.Args[1], err, strings.Join(p.other, "\n"))
			}
			return nil
		case <-tick.C:
			say(p.out, "%s", p)
		}
	}
}

// read counts one line of the command's output.
func (p *progress) read(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.downloaded++
	case p.total > 0 && !strings.ContainsAny(line, " \t#"):
		p.compiled++
		p.linking = line == p.last
	default:
		p.other = append(p.other, line)
	}
}

// String says how far the command is. Packages that the Go build cache holds are
// not compiled again, hence "at most".
func (p *progress) String() string {
	spent := time.Since(p.started).Round(time.Second)
	if p.total == 0 {
		return fmt.Sprintf("downloaded %d modules, %s", p.downloaded, spent)
	}
	if p.linking {
		return fmt.Sprintf("compiled %d packages, linking, %s", p.compiled, spent)
	}
	return fmt.Sprintf("compiled %d of at most %d packages, %s", p.compiled, p.total, spent)
}
