package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"

	changelogs "github.com/crossplane/crossplane-runtime/v2/apis/changelogs/proto/v1alpha1"
)

// A sidecar remembers the changes that it is told of.
type sidecar struct {
	changelogs.UnimplementedChangeLogServiceServer

	mu    sync.Mutex
	lines []string
}

// SendChangeLog is called for each change.
func (s *sidecar) SendChangeLog(_ context.Context, r *changelogs.SendChangeLogRequest) (*changelogs.SendChangeLogResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	e := r.GetEntry()
	s.lines = append(s.lines, strings.Join([]string{e.GetProvider(), e.GetOperation().String(), e.GetApiVersion(), e.GetKind(), e.GetName()}, " "))

	return &changelogs.SendChangeLogResponse{}, nil
}

// listen starts a sidecar, and returns what it has been told and its socket.
func listen(t *testing.T) (logged func() []string, socket string) {
	t.Helper()

	// The names of tests are too long for the path of a socket.
	dir, err := os.MkdirTemp("", "log")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = os.RemoveAll(dir) })

	socket = filepath.Join(dir, "s")

	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}

	s, server := &sidecar{}, grpc.NewServer()
	changelogs.RegisterChangeLogServiceServer(server, s)

	go func() { _ = server.Serve(l) }()

	t.Cleanup(server.Stop)

	return func() []string {
		s.mu.Lock()
		defer s.mu.Unlock()

		return slices.Clone(s.lines)
	}, socket
}
