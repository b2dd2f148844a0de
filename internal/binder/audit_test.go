package binder_test

import (
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// lines are what is logged as Info, with the values.
type lines struct {
	with string
	mu   *sync.Mutex
	out  *[]string
}

func (l lines) Info(msg string, keysAndValues ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*l.out = append(*l.out, msg+" "+l.with+fmt.Sprint(keysAndValues...))
}

func (lines) Debug(string, ...any) {}

func (l lines) WithValues(keysAndValues ...any) logging.Logger {
	l.with += fmt.Sprintln(keysAndValues...)
	return l
}

// TestEachWriteHasOneLineAndOneEvent, with target, pod, rule and AWS's request id.
func TestEachWriteHasOneLineAndOneEvent(t *testing.T) {
	inBubble(t, awssim.Options{}, time.Hour, func(t *testing.T, b *bench) {
		var logged []string
		b.stop()
		b.log = lines{mu: &b.mu, out: &logged}
		b.start()
		b.nodes(4)
		arn := b.group("web")
		b.world.run("web", 0, 1, 2, 3)
		b.engine.Bind(b.order("web", arn))
		b.ready("web")
		time.Sleep(5 * time.Minute)
		b.world.run("web", 0, 1, 2)
		time.Sleep(time.Minute)

		b.mu.Lock()
		defer b.mu.Unlock()
		id := `[0-9a-f-]{36}`
		wants := []string{
			`(?s)registered .*` + instance(3) + `:8443 \(web-3\) PodReady.*` + id,
			`(?s)deregistered .*` + instance(3) + `:8443 \(web-3\) PodDeparted.*` + id,
		}
		if len(logged) != len(wants) || len(b.events) != len(wants) {
			t.Fatalf("two calls make two lines and two Events, got\n%q\n%+v", logged, b.events)
		}
		for i, want := range wants {
			for _, got := range []string{logged[i], b.events[i].Message} {
				if !regexp.MustCompile(want).MatchString(got) {
					t.Errorf("%q does not tell %s", got, want)
				}
			}
		}
	})
}
