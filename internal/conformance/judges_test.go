package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A verdict on an object.
type verdict string

const (
	pending  verdict = "pending"
	ready    verdict = "ready"
	failing  verdict = "failing"
	deleting verdict = "deleting"
)

// A judge is a GitOps tool.
type judge struct {
	name string
	// generations says that it knows of which generation a status is. One that does
	// not takes an object for ready that was, until we write status.
	generations bool
	of          func(*unstructured.Unstructured) (verdict, error)
}

func judges(t *testing.T) []judge {
	t.Helper()

	out := []judge{{name: "kstatus", generations: true, of: kstatus}}
	for _, m := range argoCDs {
		out = append(out, judge{name: "Argo CD " + m.version, of: m.judge(t)})
	}

	return out
}

// judge an object as each of the judges does.
func (w *world) judge(t *testing.T, o client.Object, check func(j judge, v verdict)) {
	t.Helper()

	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		kindtest.Must(t, err)

		u = &unstructured.Unstructured{Object: content}
		u.SetGroupVersionKind(w.GV.WithKind(w.kind.name))
	}

	for _, j := range judges(t) {
		v, err := j.of(u)
		kindtest.Must(t, err)
		check(j, v)
	}
}

// all judges say the same of an object.
func (w *world) all(t *testing.T, when string, o client.Object, want verdict) {
	t.Helper()
	w.judge(t, o, func(j judge, v verdict) {
		// Argo CD does not look at deletionTimestamp.
		if want == deleting && v == pending && !j.generations {
			return
		}

		if v != want {
			t.Errorf("%s: %s says %s, want %s\n%v", when, j.name, v, want, version{Unstructured: unstructuredOf(t, o)}.conditions())
		}
	})
}

func unstructuredOf(t *testing.T, o client.Object) *unstructured.Unstructured {
	t.Helper()

	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	kindtest.Must(t, err)

	return &unstructured.Unstructured{Object: content}
}

// kstatus is what Flux and others use.
func kstatus(u *unstructured.Unstructured) (verdict, error) {
	r, err := status.Compute(u)
	if err != nil {
		return "", err
	}

	switch r.Status {
	case status.InProgressStatus:
		return pending, nil
	case status.CurrentStatus:
		return ready, nil
	case status.FailedStatus:
		return failing, nil
	case status.TerminatingStatus:
		return deleting, nil
	}

	return "", fmt.Errorf("kstatus says %s", r.Status)
}

// An argoCD is a release of Argo CD, whose rule for the health of what is in a group
// of *.crossplane.io is read from its Go module: see docs/decisions/0011.
type argoCD struct {
	version, sum string

	rule func() (*lua.FunctionProto, error)
}

var argoCDs = []*argoCD{
	// The first Ready=True or Synced=False decides, so their order matters.
	{version: "v3.3.0", sum: "h1:9UlruTd5cC/MyvorTXgAIblfZTy63MF5FYvvoAaUvwU="},
	// Synced=False decides wherever it stands.
	{version: "v3.4.13", sum: "h1:kmnF4nE5SQ83OhtdX6DMmLSpH0eRIa1gNYdCLNHqB+A="},
}

func init() {
	for _, a := range argoCDs {
		a.rule = sync.OnceValues(a.download)
	}
}

// download the rule, once for each module cache.
func (a *argoCD) download() (*lua.FunctionProto, error) {
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/argoproj/argo-cd/v3@"+a.version)
	// Outside of our module: what is downloaded is data, and no requirement of ours.
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()

	var module struct{ Dir, Sum, Error string }
	if err := errors.Join(err, json.Unmarshal(out, &module)); err != nil || module.Error != "" {
		return nil, fmt.Errorf("cannot download Argo CD %s, whose health rules are tested: %w %s", a.version, err, module.Error)
	}

	if module.Sum != a.sum {
		return nil, fmt.Errorf("Argo CD %s has sum %s, want %s", a.version, module.Sum, a.sum)
	}

	return compile(filepath.Join(module.Dir, "resource_customizations", "_.crossplane.io", "_", "health.lua"))
}

func (a *argoCD) judge(t *testing.T) func(*unstructured.Unstructured) (verdict, error) {
	t.Helper()

	rule, err := a.rule()
	kindtest.Must(t, err)

	return func(u *unstructured.Unstructured) (verdict, error) {
		l := lua.NewState()
		defer l.Close()

		l.SetGlobal("obj", toLua(l, u.Object))
		l.Push(l.NewFunctionFromProto(rule))

		if err := l.PCall(0, 1, nil); err != nil {
			return "", err
		}

		health, ok := l.Get(-1).(*lua.LTable)
		if !ok {
			return "", fmt.Errorf("Argo CD's rule returned %s", l.Get(-1))
		}

		switch s := health.RawGetString("status").String(); s {
		case "Progressing":
			return pending, nil
		case "Healthy":
			return ready, nil
		case "Degraded":
			return failing, nil
		default:
			return "", fmt.Errorf("Argo CD says %s", s)
		}
	}
}

func compile(file string) (*lua.FunctionProto, error) {
	l := lua.NewState()
	defer l.Close()

	f, err := l.LoadFile(file)
	if err != nil {
		return nil, err
	}

	return f.Proto, nil
}

// toLua makes of JSON what Argo CD hands to its rules.
func toLua(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case map[string]any:
		t := l.NewTable()
		for k, e := range v {
			t.RawSetString(k, toLua(l, e))
		}

		return t
	case []any:
		t := l.NewTable()
		for _, e := range v {
			t.Append(toLua(l, e))
		}

		return t
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	}

	return lua.LNil
}

func TestArgoCDsRules(t *testing.T) {
	condition := func(kind, status string) any { return map[string]any{"type": kind, "status": status} }
	cases := map[string]struct {
		reason     string
		conditions []any
		want       verdict
	}{
		"NothingKnownIsProgressing":     {"The status that the schema gives must not look healthy.", []any{condition("Synced", "Unknown"), condition("Ready", "Unknown")}, pending},
		"ReadyIsHealthy":                {"The common case.", []any{condition("Synced", "True"), condition("Ready", "True")}, ready},
		"NotSyncedIsDegraded":           {"A failed update must not hide behind Ready, which Synced comes before.", []any{condition("Synced", "False"), condition("Ready", "True")}, failing},
		"NotReadyIsProgressing":         {"Waiting is no failure.", []any{condition("Synced", "True"), condition("Ready", "False")}, pending},
		"OtherConditionsAreNotLookedAt": {"Stalled is told by Synced.", []any{condition("Synced", "True"), condition("Ready", "True"), condition("Stalled", "True")}, ready},
	}

	for name, tc := range cases {
		for i, a := range argoCDs {
			t.Run(name+strconv.Itoa(i), func(t *testing.T) {
				got, err := a.judge(t)(&unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": tc.conditions}}})
				if err != nil || got != tc.want {
					t.Errorf("\n%s\nArgo CD %s says %s, %v; want %s", tc.reason, a.version, got, err, tc.want)
				}
			})
		}
	}
}
