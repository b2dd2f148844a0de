package local_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
)

// gone says whether all processes have ended. One that its parent has not reaped
// yet has ended too.
func gone(pids []int) error {
	for _, pid := range pids {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		if s := strings.TrimSpace(string(state)); err == nil && !strings.HasPrefix(s, "Z") {
			return fmt.Errorf("process %d still runs (%s)", pid, s)
		}
	}
	return nil
}

// removed says whether the directory is no more.
func removed(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is still there (%w)", dir, err)
	}
	return nil
}

func TestStopLeavesNeitherProcessNorFile(t *testing.T) {
	began := time.Now()
	cp, err := local.Start(t.Context(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(began).Round(10*time.Millisecond))
	pids := cp.PIDs()
	if len(pids) != 5 {
		t.Errorf("%d components run, want 5: etcd, API server, controller manager, scheduler, kwok", len(pids))
	}
	began = time.Now()
	for range 2 {
		if err := cp.Stop(); err != nil {
			t.Errorf("stopping, also a second time, is no error: %v", err)
		}
	}
	t.Logf("stopped in %s", time.Since(began).Round(10*time.Millisecond))
	if err := errors.Join(gone(pids), removed(cp.Dir())); err != nil {
		t.Error(err)
	}
}

func TestControlPlaneEndsWhenItsStarterIsKilled(t *testing.T) {
	starter := exec.CommandContext(t.Context(), os.Args[0])
	starter.Env = append(os.Environ(), starterEnv+"=1")
	starter.Stderr = os.Stderr
	stdout, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	var told started
	if err := json.NewDecoder(stdout).Decode(&told); err != nil {
		t.Fatalf("the starter did not tell what it started: %v", errors.Join(err, starter.Wait()))
	}
	if len(told.PIDs) < 5 {
		t.Errorf("%d processes run, want 5 components, and on Linux a program beside them", len(told.PIDs))
	}
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait()
	eventually(t, func() (bool, error) {
		err := errors.Join(gone(told.PIDs), removed(told.Dir))
		return err == nil, err
	})
}

func TestProgramsBesideEndFirst(t *testing.T) {
	cp, err := local.Start(t.Context(), local.Options{Parts: local.APIOnly})
	if err != nil {
		t.Fatal(err)
	}
	// It tells whether the API server still answered when it was asked to end.
	dir := t.TempDir()
	free, err := cp.Ports(1)
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("trap 'kill -0 %d && touch %s/first; exit 0' TERM; touch %s/ready; while :; do sleep 0.1; done",
		cp.PID("kube-apiserver"), dir, dir)
	command := local.Command{Name: "beside", Binary: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}}
	p, err := cp.Run(command)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cp.Run(command); err == nil {
		t.Error("a name runs once at a time")
	}
	eventually(t, func() (bool, error) {
		_, err := os.Stat(filepath.Join(dir, "ready"))
		return err == nil, err
	})
	if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", free[0])); err != nil {
		t.Errorf("who was given a port can listen there: %v", err)
	} else {
		_ = l.Close()
	}
	if err := cp.Stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Ended():
	default:
		t.Error("it ends with the control plane")
	}
	if _, err := os.Stat(filepath.Join(dir, "first")); err != nil {
		t.Errorf("what writes to the API server ends before it: %v", err)
	}
}

func TestFailedStartTellsWhyAndLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	_, err := local.Start(t.Context(), local.Options{Parts: local.APIOnly, APIServerArgs: []string{"--no-such-flag"}})
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver ended") || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("the error has the component's name and the end of its log, got: %v", err)
	}
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) != 0 {
		t.Errorf("the files of a failed start are removed, got %v, %v", left, err)
	}
}

func TestDataSurvivesTheAPIServer(t *testing.T) {
	dir := t.TempDir()
	cp, err := local.Start(t.Context(), local.Options{Parts: local.APIOnly, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	key := client.ObjectKey{Namespace: "default", Name: "kept"}
	if err := cp.Client().Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func() error{"Stopped": cp.StopAPIServer, "Killed": cp.KillAPIServer} {
		began := time.Now()
		if err := end(); err != nil {
			t.Fatal(name, err)
		}
		t.Logf("%s in %s", name, time.Since(began).Round(10*time.Millisecond))
		if err := cp.Client().Get(t.Context(), key, &corev1.ConfigMap{}); err == nil {
			t.Errorf("%s: nothing answers while the API server is down", name)
		}
		if err := cp.StartAPIServer(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		t.Logf("ready again after %s", time.Since(began).Round(10*time.Millisecond))
		if err := cp.Client().Get(t.Context(), key, &corev1.ConfigMap{}); err != nil {
			t.Errorf("%s: an API server that is back has the same address, trust and data: %v", name, err)
		}
	}
}

// BenchmarkStart times a start, of the API only and of everything.
func BenchmarkStart(b *testing.B) {
	for name, parts := range map[string]local.Parts{"APIOnly": local.APIOnly, "Full": local.Full} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				cp, err := local.Start(b.Context(), local.Options{Parts: parts})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := cp.Stop(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
